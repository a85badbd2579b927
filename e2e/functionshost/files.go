package functionshost

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hostSettings is host.json, as far as it matters here.
type hostSettings struct {
	Version         string
	FunctionTimeout string
	ExtensionBundle struct{ ID, Version string }
	CustomHandler   struct {
		Description struct {
			DefaultExecutablePath, WorkingDirectory string
			Arguments                               []string
		}
		EnableForwardingHTTPRequest bool
	}
	Extensions struct {
		Queues queueSettings
	}
}

// queueSettings are the settings of queue triggers. Pointers have defaults that are not their zero.
type queueSettings struct {
	MessageEncoding   string
	VisibilityTimeout string
	MaxDequeueCount   *int
	BatchSize         *int
	NewBatchThreshold *int
}

func readHostSettings(dir string) (hostSettings, error) {
	var s hostSettings
	text, err := os.ReadFile(filepath.Join(dir, "host.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("host.json: %w", err)
	}
	switch {
	case s.Version != "2.0":
		return s, fmt.Errorf("host.json: version %q: it must be 2.0", s.Version)
	case s.CustomHandler.Description.DefaultExecutablePath == "":
		return s, errors.New("host.json: customHandler.description.defaultExecutablePath is missing")
	case s.ExtensionBundle.ID != "Microsoft.Azure.Functions.ExtensionBundle" || s.ExtensionBundle.Version == "":
		return s, errors.New("host.json: without an extension bundle there are no queue and Event Grid triggers")
	case s.CustomHandler.EnableForwardingHTTPRequest:
		return s, errors.New("host.json: enableForwardingHttpRequest is for functions with HTTP triggers alone")
	}
	for name, text := range map[string]string{"functionTimeout": s.FunctionTimeout, "extensions.queues.visibilityTimeout": s.Extensions.Queues.VisibilityTimeout} {
		if _, err := timeSpan(text); text != "" && err != nil {
			return s, fmt.Errorf("host.json: %s: %w", name, err)
		}
	}
	q := s.Extensions.Queues
	if q.BatchSize != nil && (*q.BatchSize < 1 || *q.BatchSize > 32) || q.MaxDequeueCount != nil && *q.MaxDequeueCount < 1 {
		return s, errors.New("host.json: extensions.queues: batchSize is 1 to 32, maxDequeueCount at least 1")
	}
	return s, nil
}

func (s hostSettings) workingDirectory(dir string) string {
	return filepath.Join(dir, s.CustomHandler.Description.WorkingDirectory)
}

func (s hostSettings) program(dir string) string {
	return filepath.Join(s.workingDirectory(dir), s.CustomHandler.Description.DefaultExecutablePath)
}

// timeout is the function timeout; 30 minutes is the default of the Flex Consumption plan.
func (s hostSettings) timeout() time.Duration {
	if d, err := timeSpan(s.FunctionTimeout); err == nil {
		return d
	}
	return 30 * time.Minute
}

// timeSpan reads hh:mm:ss.
func timeSpan(text string) (time.Duration, error) {
	var d time.Duration
	parts := strings.Split(text, ":")
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n := -1
		if len(parts) == 3 {
			n, _ = strconv.Atoi("1" + parts[i]) // no sign, two digits
			n -= 100
		}
		if n < 0 || n > 59 {
			return 0, fmt.Errorf("%q is no time like 00:05:00", text)
		}
		d += time.Duration(n) * unit
	}
	return d, nil
}

// trigger is the trigger binding of a function.json.
type trigger struct {
	Type, Name, Direction, QueueName, Connection, Schedule string
}

// readTriggers reads every function.json and looks the app settings up that it refers to.
func readTriggers(dir string, setting func(string) (string, bool)) (map[string]trigger, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "function.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no functions found in %s (%v)", dir, err)
	}
	triggers := map[string]trigger{}
	for _, file := range files {
		function := filepath.Base(filepath.Dir(file))
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var f struct{ Bindings []trigger }
		if err := json.Unmarshal(text, &f); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(f.Bindings) != 1 || f.Bindings[0].Name == "" || f.Bindings[0].Direction != "in" {
			return nil, fmt.Errorf("%s: one binding is expected here, a trigger with a name and direction in", file)
		}
		if triggers[function], err = f.Bindings[0].resolved(setting); err != nil {
			return nil, fmt.Errorf("the function %s cannot start: %w", function, err)
		}
	}
	return triggers, nil
}

var (
	reference = regexp.MustCompile(`%[^%]+%`)
	queueName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)
	cronField = regexp.MustCompile(`^[0-9*/,A-Za-z-]+$`) // of an NCRONTAB expression
)

// resolved puts the app settings in, and checks what the host would.
func (t trigger) resolved(setting func(string) (string, bool)) (trigger, error) {
	var missing []string
	for _, field := range []*string{&t.QueueName, &t.Schedule} {
		*field = reference.ReplaceAllStringFunc(*field, func(name string) string {
			value, ok := setting(strings.Trim(name, "%"))
			if !ok {
				missing = append(missing, name)
			}
			return value
		})
	}
	if len(missing) > 0 {
		return t, fmt.Errorf("%s does not resolve to a value", strings.Join(missing, ", "))
	}
	switch t.Type {
	case "eventGridTrigger":
	case "queueTrigger":
		if !queueName.MatchString(t.QueueName) || len(t.QueueName) < 3 || len(t.QueueName) > 63 {
			return t, fmt.Errorf("%q is no name of a queue", t.QueueName)
		}
		if !slices.ContainsFunc([]string{"", "__queueServiceUri", "__accountName"}, func(suffix string) bool { _, ok := setting(t.Connection + suffix); return ok }) {
			return t, fmt.Errorf("the storage account connection %q is missing: neither %[1]s nor %[1]s__queueServiceUri is an app setting", t.Connection)
		}
	case "timerTrigger":
		if fields := strings.Fields(t.Schedule); len(fields) != 6 || slices.ContainsFunc(fields, func(f string) bool { return !cronField.MatchString(f) }) {
			return t, fmt.Errorf("%q is no schedule of six fields", t.Schedule)
		}
	default:
		return t, fmt.Errorf("a binding of type %q is not known here", t.Type)
	}
	return t, nil
}
