// Package runtimeapi runs a Go function's built bootstrap binary as AWS Lambda does: it serves the Runtime API
// (2018-06-01), starts an execution environment when none is free, keeps it warm, and throws it away when its process
// ends or an invocation outlives its timeout.
//
//	fn := runtimeapi.Start(t, "bin/bootstrap", aws.Finalizer.Env()...)
//	result := fn.Call(ctx, localaws.S3Event(record))
//
// Written against the documentation of Lambda's custom runtimes and aws-lambda-go 1.55; never compared with the service.
package runtimeapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Config describes a function.
type Config struct {
	Bootstrap string   // path of the binary
	Env       []string // NAME=value; nothing of the caller's own environment is passed on
	Name      string   // default "pgseal-finalizer"
	// Timeout is the function's timeout; default 60 seconds. SetTimeout changes it.
	Timeout time.Duration
	// Concurrency is the reserved concurrency: how many environments may run at once; default 10.
	Concurrency int
	// Log gets what the function writes as it comes; nil is nowhere. Function.Logs has it all in any case.
	Log io.Writer
}

// Function is a deployed function.
type Function struct {
	config Config
	logs   *logBuffer

	mu      sync.Mutex
	timeout time.Duration
	idle    []*environment
	all     map[*environment]struct{}
	starts  int
	closed  bool
}

// Result is the outcome of one invocation. Exactly one of Payload and Err is set.
type Result struct {
	RequestID string
	Payload   []byte
	Err       *Error
	ColdStart bool // the environment was started for this invocation
}

// Error is a function error as Lambda reports it.
type Error struct {
	Type    string `json:"errorType"` // the Go type's name, or "Runtime.ExitError", "Sandbox.Timedout", "TooManyRequestsException"
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start deploys the binary with the environment, until the test ends.
func Start(t TB, bootstrap string, env ...string) *Function {
	t.Helper()
	f, err := New(Config{Bootstrap: bootstrap, Env: env})
	if err != nil {
		t.Fatalf("runtimeapi: %v", err)
	}
	t.Cleanup(f.Close)
	return f
}

// New deploys a function. No process runs until the first invocation. The caller ends it with Close.
func New(config Config) (*Function, error) {
	if _, err := os.Stat(config.Bootstrap); err != nil {
		return nil, fmt.Errorf("bootstrap: %w (build it first)", err)
	}
	if config.Name == "" {
		config.Name = "pgseal-finalizer"
	}
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	if config.Concurrency == 0 {
		config.Concurrency = 10
	}
	return &Function{config: config, timeout: config.Timeout, logs: &logBuffer{copy: config.Log}, all: map[*environment]struct{}{}}, nil
}

// SetTimeout changes the timeout of the invocations that begin later.
func (f *Function) SetTimeout(timeout time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timeout = timeout
}

// Call invokes the function and waits. A context that ends kills the environment, as a deadline does.
func (f *Function) Call(ctx context.Context, payload []byte) Result {
	env, cold, err := f.acquire()
	if err != nil {
		return Result{Err: err}
	}
	f.mu.Lock()
	timeout := f.timeout
	f.mu.Unlock()
	result := env.run(ctx, payload, timeout)
	result.ColdStart = cold
	f.release(env)
	return result
}

// Invoke is Call in the shape of localaws.Invoke.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	result := f.Call(ctx, payload)
	if result.Err != nil {
		return nil, result.Err
	}
	return result.Payload, nil
}

// Kill kills every environment, in the middle of whatever it does. The next invocation starts a new one.
func (f *Function) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for env := range f.all {
		env.kill()
	}
}

// Starts is how many environments have been started so far: the number of cold starts.
func (f *Function) Starts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// Logs is everything that the function has written, with Lambda's START and REPORT lines between.
func (f *Function) Logs() string { return f.logs.String() }

// Close ends all environments. Running invocations fail.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed = true
	envs := make([]*environment, 0, len(f.all))
	for env := range f.all {
		envs = append(envs, env)
	}
	f.mu.Unlock()
	for _, env := range envs {
		env.close()
	}
}

// acquire takes a warm environment or starts one.
func (f *Function) acquire() (*environment, bool, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false, &Error{Type: "ResourceNotFoundException", Message: "the function is closed"}
	}
	for len(f.idle) > 0 {
		env := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if !env.dead() {
			return env, false, nil
		}
		delete(f.all, env)
		env.close()
	}
	if len(f.all) >= f.config.Concurrency {
		return nil, false, &Error{Type: "TooManyRequestsException", Message: "Rate Exceeded."}
	}
	env, err := startEnvironment(f.config, f.logs, f.starts)
	if err != nil {
		return nil, false, &Error{Type: "Runtime.InvalidEntrypoint", Message: err.Error()}
	}
	f.starts++
	f.all[env] = struct{}{}
	return env, true, nil
}

// release keeps the environment warm, unless its process has ended or is about to.
func (f *Function) release(env *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if env.spent.Load() || env.dead() || f.closed {
		delete(f.all, env)
		env.close()
		return
	}
	f.idle = append(f.idle, env)
}

// logBuffer collects log output of several processes.
type logBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	copy   io.Writer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.copy != nil {
		_, _ = b.copy.Write(p)
	}
	return b.buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
