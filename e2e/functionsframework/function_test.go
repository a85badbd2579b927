package functionsframework_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/functionsframework"
)

var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pgseal-functionsframework-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-o", program, "./sample").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func deploy(t *testing.T, config functionsframework.Config) *functionsframework.Function {
	t.Helper()
	config.Program, config.Target = program, "Sample"
	fn, err := functionsframework.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fn.Close)
	return fn
}

// asking is an event that asks the sample to do something.
func asking(what string) functionsframework.Event {
	return functionsframework.Event{ID: "1", Type: "sample.asked", Source: "//sample", Time: time.Now(), Data: map[string]string{"do": what}}
}

// logged waits for a line: what a function writes comes through a pipe, and may arrive after its answer.
func logged(t *testing.T, fn *functionsframework.Function, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(fn.Logs(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("no %q in the log:\n%s", want, fn.Logs())
			return
		}
	}
}

// counted waits until a line is there so many times, and not more.
func counted(t *testing.T, fn *functionsframework.Function, line string, want int) {
	t.Helper()
	n := 0
	for end := time.Now().Add(10 * time.Second); n < want && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		n = strings.Count(fn.Logs(), line)
	}
	if n != want {
		t.Errorf("%d times %q in the log:\n%s", n, line, fn.Logs())
	}
}

func TestAnInstanceStaysWarmAndSeesOnlyItsOwnVariables(t *testing.T) {
	fn := deploy(t, functionsframework.Config{Env: []string{"OWN=mine"}})
	first, second := fn.Call(t.Context(), asking("first").Binary()), fn.Call(t.Context(), asking("second").Structured())
	if first.Status != 200 || second.Status != 200 || !first.ColdStart || second.ColdStart || fn.Starts() != 1 {
		t.Fatalf("%+v %+v", first, second)
	}
	logged(t, fn, "doing first of sample.asked own=mine home=\n")
	logged(t, fn, "doing second of sample.asked")
}

func TestEveryFormOfAnEventArrives(t *testing.T) {
	fn := deploy(t, functionsframework.Config{})
	resource := map[string]any{"do": "it"}
	message := functionsframework.Notification("b", "o", nil)
	message.Attributes["do"] = "it"
	for name, r := range map[string]functionsframework.Request{
		"binary":                      functionsframework.Finalized("b", "o", resource).Binary(),
		"structured":                  functionsframework.Finalized("b", "o", resource).Structured(),
		"of the first generation":     functionsframework.LegacyFinalized("b", "o", resource),
		"Pub/Sub through Eventarc":    message.Event().Binary(),
		"Pub/Sub, structured":         message.Event().Structured(),
		"Pub/Sub pushes without more": message.Push(),
	} {
		if a := fn.Call(t.Context(), r); a.Status != 200 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	counted(t, fn, "doing it of google.cloud.", 6)
	if a := fn.Call(t.Context(), functionsframework.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}); a.Status != 400 {
		t.Errorf("no event at all: %d", a.Status)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, do string
		status   int
		log      string
		restarts bool
	}{
		{"an error", "fail", 500, "as asked", false},
		{"a panic costs nothing but its request", "panic", 500, "as asked", false},
		{"an exit costs the instance", "exit", 503, "exit status 3", true},
		{"a function that hangs loses its connection, and its instance lives", "hang", 504, "cut off", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fn := deploy(t, functionsframework.Config{})
			if a := fn.Call(t.Context(), asking("warm up").Binary()); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			if c.do == "hang" {
				fn.SetTimeout(300 * time.Millisecond)
			}
			if a := fn.Call(t.Context(), asking(c.do).Binary()); a.Status != c.status {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			logged(t, fn, c.log)
			fn.SetTimeout(time.Minute)
			if a := fn.Call(t.Context(), asking("after").Binary()); a.Status != 200 || a.ColdStart != c.restarts {
				t.Fatalf("%+v", a)
			}
		})
	}
}

func TestRequestsAtOnceStartInstancesUpToTheLimit(t *testing.T) {
	fn := deploy(t, functionsframework.Config{Instances: 2})
	var all sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 3 {
		all.Go(func() {
			a := fn.Call(t.Context(), asking("wait").Binary())
			mu.Lock()
			defer mu.Unlock()
			counts[a.Status]++
		})
	}
	all.Wait()
	if counts[200] != 2 || counts[429] != 1 || fn.Starts() != 2 {
		t.Errorf("%v, %d instances", counts, fn.Starts())
	}
	shared := deploy(t, functionsframework.Config{Concurrency: 3})
	for range 3 {
		all.Go(func() { shared.Call(t.Context(), asking("wait").Binary()) })
	}
	all.Wait()
	if shared.Starts() != 1 {
		t.Errorf("%d instances for three requests that one may have", shared.Starts())
	}
}

func TestAKillEndsWhatRuns(t *testing.T) {
	fn := deploy(t, functionsframework.Config{})
	go func() {
		logged(t, fn, "doing hang")
		fn.Kill()
	}()
	if a := fn.Call(t.Context(), asking("hang").Binary()); a.Status != 503 || !strings.Contains(string(a.Body), "killed") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := fn.Call(t.Context(), asking("more").Binary()); a.Status != 200 || !a.ColdStart {
		t.Errorf("%+v", a)
	}
}

func TestAProgramThatEndsAtItsStartFailsTheRequest(t *testing.T) {
	fn := deploy(t, functionsframework.Config{Env: []string{"OWN=broken"}})
	if a := fn.Call(t.Context(), asking("anything").Binary()); a.Status != 503 {
		t.Errorf("%+v", a)
	}
	logged(t, fn, "cannot start")
}

func TestASubscriptionSendsAgainWhatFailsAndGivesUpInTheEnd(t *testing.T) {
	fn := deploy(t, functionsframework.Config{})
	s := fn.Subscribe(functionsframework.SubscriptionConfig{Backoff: time.Millisecond, MaxAttempts: 5})
	defer s.Close()
	for _, what := range []string{"fail", "well"} {
		m := functionsframework.Notification("b", "o", nil)
		m.Attributes["do"] = what
		s.Publish(m)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if dead := s.DeadLetters(); len(dead) != 1 || dead[0].Attributes["do"] != "fail" || s.Dead() != 1 {
		t.Errorf("%+v", dead)
	}
	counted(t, fn, "doing fail", 5)
}
