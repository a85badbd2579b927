// Package functionsframework runs a Go function that was built with Google's functions framework as Cloud Run functions
// do: it starts an instance when no other has room, sends it CloudEvents by HTTP, cuts the connection when the
// function's timeout has passed, and lets the instance live.
//
//	fn := functionsframework.Start(t, build.GCP(t), gcp.Env(cloud.Finalizer)...)
//	err := fn.Send(ctx, functionsframework.Finalized(bucket, name, nil))
//
// Subscription is the Pub/Sub push subscription of an Eventarc trigger: it sends again what failed.
//
// Written against the documentation of Cloud Run functions and Eventarc, and functions-framework-go 1.9.2 (November
// 2026); never compared with the service. Unlike there, the process listens on the loopback address only.
package functionsframework

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pgseal/pgseal/e2e/instance"
)

// Config describes a function.
type Config struct {
	Program string   // path of the server, as the buildpack builds it
	Env     []string // NAME=value; nothing of the caller's own environment is passed on
	Name    string   // of the service; default "pgseal-finalizer"
	Target  string   // entry point; default "Finalize"
	// Timeout is the request timeout; default 60 seconds. SetTimeout changes it.
	Timeout time.Duration
	// Concurrency is how many requests one instance gets at once; default 1, which is the default of functions.
	Concurrency int
	// Instances is how many may run at once; default 10.
	Instances int
	// Log gets what the function writes as it comes; nil is nowhere. Function.Logs has it all in any case.
	Log io.Writer
}

// Function is a deployed function.
type Function struct {
	*instance.Pool
	mu      sync.Mutex
	timeout time.Duration
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start deploys the program with the environment, until the test ends.
func Start(t TB, program string, env ...string) *Function {
	t.Helper()
	f, err := New(Config{Program: program, Env: env})
	if err != nil {
		t.Fatalf("functionsframework: %v", err)
	}
	t.Cleanup(f.Close)
	return f
}

// New deploys a function. No process runs until the first event. The caller ends it with Close.
func New(config Config) (*Function, error) {
	if _, err := os.Stat(config.Program); err != nil {
		return nil, fmt.Errorf("program: %w (build it first)", err)
	}
	program, err := filepath.Abs(config.Program)
	if err != nil {
		return nil, err
	}
	if config.Name == "" {
		config.Name = "pgseal-finalizer"
	}
	if config.Target == "" {
		config.Target = "Finalize"
	}
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	if config.Concurrency == 0 {
		config.Concurrency = 1
	}
	if config.Instances == 0 {
		config.Instances = 10
	}
	pool := instance.New(instance.Config{
		Program: program, Dir: filepath.Dir(program), Env: func(port string) []string { return cloudRun(config, port) },
		Concurrency: config.Concurrency, Max: config.Instances, Probe: instance.Listens, Startup: 4 * time.Minute, Log: config.Log,
	})
	return &Function{Pool: pool, timeout: config.Timeout}, nil
}

// cloudRun is the environment of a container of Cloud Run functions, then the function's own. LOCAL_ONLY is for the
// framework's main program and not set there.
func cloudRun(config Config, port string) []string {
	return append([]string{
		"PORT=" + port, "LOCAL_ONLY=true",
		"FUNCTION_TARGET=" + config.Target, "FUNCTION_SIGNATURE_TYPE=cloudevent",
		"K_SERVICE=" + config.Name, "K_CONFIGURATION=" + config.Name, "K_REVISION=" + config.Name + "-00001-abc",
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root",
	}, config.Env...)
}

// SetTimeout changes the timeout of the requests that begin later.
func (f *Function) SetTimeout(timeout time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timeout = timeout
}

// errTimeout is what Cloud Run says when it gives up a request.
var errTimeout = errors.New("the request has been terminated because it has reached the maximum request timeout")

// Call sends one request and waits for the answer. What Cloud Run would answer itself is an answer too: 429 when all
// instances are busy, 503 when the instance cannot start or ends, 504 after the timeout.
func (f *Function) Call(ctx context.Context, request Request) instance.Answer {
	f.mu.Lock()
	timeout := f.timeout
	f.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	answer, err := f.Post(ctx, "/", request.Header, request.Body)
	switch {
	case err == nil:
		return answer
	case errors.Is(err, instance.ErrBusy):
		answer.Status = http.StatusTooManyRequests
	case errors.Is(context.Cause(ctx), errTimeout):
		answer.Status = http.StatusGatewayTimeout
		err = errTimeout
	default:
		answer.Status = http.StatusServiceUnavailable
	}
	f.Logf("cloud run: %d %v", answer.Status, err)
	answer.Body = []byte(err.Error())
	return answer
}

// Send is Call for one event in binary mode, as Eventarc sends it. Every answer but 2xx is an error, after which
// Eventarc would send the event again.
func (f *Function) Send(ctx context.Context, e Event) error {
	answer := f.Call(ctx, e.Binary())
	if answer.Status/100 != 2 {
		return fmt.Errorf("answered %d %s: %s", answer.Status, http.StatusText(answer.Status), answer.Body)
	}
	return nil
}
