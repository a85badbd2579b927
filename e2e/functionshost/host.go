// Package functionshost plays the Azure Functions host towards a custom handler: it reads the host.json and function.json
// that are shipped, starts the program, invokes its functions, reads its answers as the host does, and feeds a function
// from a storage queue.
//
//	host := functionshost.Start(t, dir, append(functionshost.Settings(), azure.Env(cloud.Finalizer)...)...)
//	logs, err := host.Invoke(ctx, "finalize", functionshost.Text(event))
//
// Written against the host's sources and the documentation of custom handlers and of the queue trigger (November 2026);
// never compared with the service.
package functionshost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/e2e/instance"
)

// Config describes a function app.
type Config struct {
	Dir string   // of the unpacked azure.zip
	Env []string // the app settings, as NAME=value; nothing of the caller's own environment is passed on
	// Program is run in place of the one that host.json names; "" is that one.
	Program string
	// Log gets what the handler writes as it comes; nil is nowhere. Host.Logs has it all in any case.
	Log io.Writer
}

// Host is a running function app: one process, which gets all invocations, and which is started anew when it has ended.
type Host struct {
	*instance.Pool
	settings hostSettings
	triggers map[string]trigger
	mu       sync.Mutex
	timeout  time.Duration
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Settings are app settings that the triggers need.
func Settings() []string {
	return []string{
		"PGSEAL_QUEUE_NAME=pgseal", "PGSEAL_QUEUE__queueServiceUri=https://account.queue.core.windows.net",
		"PGSEAL_QUEUE__credential=managedidentity", "PGSEAL_SWEEP_SCHEDULE=0 */15 * * * *",
	}
}

// Start deploys a directory with the app settings, until the test ends.
func Start(t TB, dir string, env ...string) *Host {
	t.Helper()
	h, err := New(Config{Dir: dir, Env: env})
	if err != nil {
		t.Fatalf("functionshost: %v", err)
	}
	t.Cleanup(h.Close)
	return h
}

// New deploys a function app. What the host would refuse in the files or miss in the settings is an error. No process
// runs until the first invocation. The caller ends it with Close.
func New(config Config) (*Host, error) {
	settings, err := readHostSettings(config.Dir)
	if err != nil {
		return nil, err
	}
	triggers, err := readTriggers(config.Dir, environment(config.Env))
	if err != nil {
		return nil, err
	}
	program := config.Program
	if program == "" {
		program = settings.program(config.Dir)
	}
	if info, err := os.Stat(program); err != nil || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("%s cannot be executed (%v)", program, err)
	}
	pool := instance.New(instance.Config{
		Program: program, Args: settings.CustomHandler.Description.Arguments, Dir: settings.workingDirectory(config.Dir),
		Env: func(port string) []string {
			return append([]string{
				"FUNCTIONS_CUSTOMHANDLER_PORT=" + port, "FUNCTIONS_HTTPWORKER_PORT=" + port,
				"FUNCTIONS_CUSTOMHANDLER_WORKER_ID=8d7a3b2e", "FUNCTIONS_HTTPWORKER_ID=8d7a3b2e",
				"FUNCTIONS_APP_ROOT_PATH=" + config.Dir, "FUNCTIONS_WORKER_RUNTIME=custom", "FUNCTIONS_EXTENSION_VERSION=~4",
				"WEBSITE_SITE_NAME=pgseal", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home",
			}, config.Env...)
		},
		Concurrency: 1 << 20, Max: 1, Probe: instance.AnswersHTTP, Startup: 30 * time.Second, Log: config.Log,
	})
	return &Host{Pool: pool, settings: settings, triggers: triggers, timeout: settings.timeout()}, nil
}

// environment looks a name up among NAME=value; the last one counts.
func environment(env []string) func(string) (string, bool) {
	values := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// SetTimeout changes the function timeout of host.json for the invocations that begin later.
func (h *Host) SetTimeout(timeout time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timeout = timeout
}

// Two failures of invocations.
var (
	ErrTimeout = errors.New("timeout value was exceeded by the function")
	// ErrHang comes at once where the real host waits until the timeout.
	ErrHang = errors.New("a 2xx without a JSON object: the host would wait until the timeout")
)

// Invoke invokes a function with the value of its trigger, and returns what the handler wants in the log. An error means
// that the invocation has failed.
func (h *Host) Invoke(ctx context.Context, function string, value Value) ([]string, error) {
	return h.invoke(ctx, function, value, map[string]any{})
}

func (h *Host) invoke(ctx context.Context, function string, value Value, metadata map[string]any) ([]string, error) {
	t, ok := h.triggers[function]
	if !ok {
		return nil, fmt.Errorf("there is no function %q", function)
	}
	metadata["sys"] = map[string]any{"MethodName": function, "UtcNow": time.Now().UTC(), "RandGuid": newID()}
	body, err := json.Marshal(map[string]any{"Data": map[string]any{t.Name: json.RawMessage(value)}, "Metadata": metadata})
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	timeout := h.timeout
	h.mu.Unlock()
	id := newID()
	h.Logf("Executing 'Functions.%s' (Id=%s)", function, id)
	inTime, cancel := context.WithTimeoutCause(ctx, timeout, ErrTimeout)
	defer cancel()
	answer, err := h.Post(inTime, "/"+function, http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"Azure-Functions-Host/4.1038.300.1"},
		"X-Azure-Functions-Hostversion": {"4.1038.300.1"}, "X-Azure-Functions-Invocationid": {id},
	}, body)
	if err != nil && errors.Is(context.Cause(inTime), ErrTimeout) {
		h.Kill() // the host ends a worker that does not end its function
		err = ErrTimeout
	}
	var logs []string
	if err == nil {
		logs, err = read(answer)
	}
	outcome := "Succeeded"
	if err != nil {
		outcome = "Failed: " + err.Error()
	}
	for _, line := range logs {
		h.Logf("%s: %s", function, line)
	}
	h.Logf("Executed 'Functions.%s' (%s, Id=%s)", function, outcome, id)
	return logs, err
}

// read reads an answer as the host does.
func read(answer instance.Answer) ([]string, error) {
	if answer.Status/100 != 2 {
		return nil, fmt.Errorf("response status code does not indicate success: %d (%s): %.2000s", answer.Status, http.StatusText(answer.Status), answer.Body)
	}
	if body := bytes.TrimSpace(answer.Body); len(body) == 0 || string(body) == "null" {
		return nil, ErrHang
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || kind != "application/json" && kind != "text/json" {
		return nil, fmt.Errorf("no MediaTypeFormatter is available to read an object from content with media type %q", kind)
	}
	var out struct {
		Outputs     map[string]any
		Logs        []string
		ReturnValue any
	}
	if err := json.Unmarshal(answer.Body, &out); err != nil {
		return nil, fmt.Errorf("invalid HttpResponseMessage: %w", err)
	}
	return out.Logs, nil
}
