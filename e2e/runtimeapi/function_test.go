package runtimeapi_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

var bootstrap string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pgseal-runtimeapi-")
	if err != nil {
		panic(err)
	}
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./testdata/sample")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// do asks the sample function to do something.
func do(fn *runtimeapi.Function, what string) runtimeapi.Result {
	payload, _ := json.Marshal(map[string]string{"Do": what})
	return fn.Call(context.Background(), payload)
}

type answer struct {
	Did, Home, Own string
	Calls, Pid     int
	Left           float64
}

func decode(t *testing.T, r runtimeapi.Result) answer {
	t.Helper()
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	var a answer
	if err := json.Unmarshal(r.Payload, &a); err != nil {
		t.Fatalf("%s: %v", r.Payload, err)
	}
	return a
}

func TestAnEnvironmentStaysWarmAndSeesOnlyItsOwnVariables(t *testing.T) {
	fn := runtimeapi.Start(t, bootstrap, "OWN=mine")
	fn.SetTimeout(30 * time.Second)
	first, second := do(fn, "first"), do(fn, "second")
	if !first.ColdStart || second.ColdStart || fn.Starts() != 1 {
		t.Fatalf("cold starts: %v %v, %d", first.ColdStart, second.ColdStart, fn.Starts())
	}
	a := decode(t, second)
	if a.Did != "second" || a.Calls != 2 || a.Own != "mine" || a.Home != "" {
		t.Fatalf("%+v", a)
	}
	if a.Left <= 0 || a.Left > 30 {
		t.Fatalf("the deadline is %f seconds away", a.Left)
	}
	for _, want := range []string{"START RequestId: " + first.RequestID, "doing first", "REPORT RequestId: " + second.RequestID} {
		logged(t, fn, want)
	}
}

// logged waits for a line: what a function writes comes through a pipe, and may
// arrive after its answer.
func logged(t *testing.T, fn *runtimeapi.Function, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(fn.Logs(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("no %q in the log:\n%s", want, fn.Logs())
			return
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, do, kind, message string
		restarts                bool
	}{
		{"an error carries the name of its type", "fail", "refusedError", "refused as asked", false},
		{"a plain error is an errorString", "fail plainly", "errorString", "plain", false},
		{"a panic is reported and costs the environment", "panic", "string", "as asked", true},
		{"an exit is an error of the runtime", "exit", "Runtime.ExitError", "exit status 3", true},
		{"a function that hangs is killed", "hang", "Sandbox.Timedout", "timed out after 0.50 seconds", true},
		{"a function that watches its deadline has none left", "stop in time", "Sandbox.Timedout", "timed out", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fn := runtimeapi.Start(t, bootstrap)
			decode(t, do(fn, "warm up"))
			if c.kind == "Sandbox.Timedout" {
				fn.SetTimeout(500 * time.Millisecond)
			}
			r := do(fn, c.do)
			if r.Err == nil {
				t.Fatalf("answered %s", r.Payload)
			}
			if c.do == "stop in time" && r.Err.Type == "deadlineExceededError" {
				return // answered at the last moment: as right as being killed
			}
			if r.Err.Type != c.kind || !strings.Contains(r.Err.Message, c.message) {
				t.Fatalf("%s: %s", r.Err.Type, r.Err.Message)
			}
			fn.SetTimeout(time.Minute)
			after := do(fn, "after")
			if got := decode(t, after); got.Did != "after" || after.ColdStart != c.restarts {
				t.Fatalf("cold start %v: %+v", after.ColdStart, got)
			}
		})
	}
}

func TestTwoInvocationsAtOnceRunInTwoEnvironments(t *testing.T) {
	fn := runtimeapi.Start(t, bootstrap)
	results := make([]runtimeapi.Result, 2)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = do(fn, "wait") })
	}
	all.Wait()
	if a, b := decode(t, results[0]), decode(t, results[1]); a.Pid == b.Pid || fn.Starts() != 2 {
		t.Fatalf("processes %d and %d, %d starts", a.Pid, b.Pid, fn.Starts())
	}
}

func TestMoreInvocationsThanTheReservedConcurrencyAreThrottled(t *testing.T) {
	fn, err := runtimeapi.New(runtimeapi.Config{Bootstrap: bootstrap, Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fn.Close)
	first := make(chan runtimeapi.Result)
	go func() { first <- do(fn, "hang") }()
	for !strings.Contains(fn.Logs(), "doing hang") {
		time.Sleep(time.Millisecond)
	}
	if r := do(fn, "more"); r.Err == nil || r.Err.Type != "TooManyRequestsException" {
		t.Fatalf("%+v", r)
	}
	fn.Kill()
	if r := <-first; r.Err == nil || r.Err.Type != "Runtime.ExitError" || !strings.Contains(r.Err.Message, "killed") {
		t.Fatalf("%+v", r)
	}
	decode(t, do(fn, "after the kill"))
}

func TestAProcessThatEndsAtItsStartFailsTheInvocation(t *testing.T) {
	fn := runtimeapi.Start(t, bootstrap, "OWN=broken")
	r := do(fn, "anything")
	if r.Err == nil || r.Err.Type != "Runtime.ExitError" || !strings.Contains(fn.Logs(), "cannot start") {
		t.Fatalf("%+v, log:\n%s", r, fn.Logs())
	}
}

func TestAnEndedContextKillsTheInvocation(t *testing.T) {
	fn := runtimeapi.Start(t, bootstrap)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for !strings.Contains(fn.Logs(), "doing hang") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := fn.Invoke(ctx, []byte(`{"Do":"hang"}`)); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Fatalf("%v", err)
	}
}
