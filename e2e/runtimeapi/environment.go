package runtimeapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// environment is one execution environment: a process of the bootstrap binary with a Runtime API of its own. It
// handles one invocation at a time.
type environment struct {
	config Config
	logs   *logBuffer
	cmd    *exec.Cmd
	server *http.Server
	exited chan struct{}
	next   chan *invocation
	spent  atomic.Bool // must not be used again

	mu      sync.Mutex
	current *invocation
}

// startEnvironment starts the process. The Runtime API listens on loopback; the process finds it by its address.
func startEnvironment(config Config, logs *logBuffer, number int) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &environment{config: config, logs: logs, exited: make(chan struct{}), next: make(chan *invocation)}
	bootstrap, err := filepath.Abs(config.Bootstrap)
	if err != nil {
		return nil, err
	}
	e.cmd = exec.Command(bootstrap)
	e.cmd.Dir = filepath.Dir(bootstrap)
	e.cmd.Env = lambdaEnvironment(config, listener.Addr().String(), number)
	e.cmd.Stdout, e.cmd.Stderr = logs, logs
	e.cmd.WaitDelay = 5 * time.Second
	if err := e.cmd.Start(); err != nil {
		_ = listener.Close()
		return nil, err
	}
	e.server = &http.Server{Handler: e.handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(listener) }()
	go func() {
		_ = e.cmd.Wait()
		close(e.exited)
	}()
	return e, nil
}

// lambdaEnvironment is the environment of the process: Lambda's own variables, then the function's.
func lambdaEnvironment(config Config, address string, number int) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address,
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(config.Bootstrap),
		"AWS_LAMBDA_FUNCTION_NAME=" + config.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + config.Name,
		fmt.Sprintf("AWS_LAMBDA_LOG_STREAM_NAME=environment-%d", number),
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"PATH=/usr/local/bin:/usr/bin/:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
	}
	if !slices.ContainsFunc(config.Env, func(v string) bool { return strings.HasPrefix(v, "AWS_REGION=") }) {
		env = append(env, "AWS_REGION=eu-central-1")
	}
	return append(env, config.Env...)
}

// run hands the payload to the process and waits for what becomes of it.
func (e *environment) run(ctx context.Context, payload []byte, timeout time.Duration) Result {
	begun := time.Now()
	in := &invocation{id: newID(), payload: payload, deadline: begun.Add(timeout), done: make(chan struct{})}
	e.mu.Lock()
	e.current = in
	e.mu.Unlock()
	fmt.Fprintf(e.logs, "START RequestId: %s Version: $LATEST\n", in.id)
	defer func() {
		e.mu.Lock()
		e.current = nil
		e.mu.Unlock()
		fmt.Fprintf(e.logs, "END RequestId: %s\nREPORT RequestId: %s\tDuration: %.2f ms\n", in.id, in.id,
			float64(time.Since(begun).Microseconds())/1000)
	}()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	next := e.next // until the process has fetched the event
	for {
		select {
		case next <- in:
			next = nil
		case <-in.done:
			e.letDie()
			return in.result()
		case <-e.exited:
			e.spent.Store(true)
			return e.afterExit(in)
		case <-timer.C:
			e.spent.Store(true)
			e.kill()
			return Result{RequestID: in.id, Err: &Error{Type: "Sandbox.Timedout",
				Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", in.id, timeout.Seconds())}}
		case <-ctx.Done():
			e.spent.Store(true)
			e.kill()
			return Result{RequestID: in.id, Err: &Error{Type: "Sandbox.Killed", Message: ctx.Err().Error()}}
		}
	}
}

// afterExit is the result of an invocation whose process ended: what it reported before, as after a panic, or that it
// ended.
func (e *environment) afterExit(in *invocation) Result {
	select {
	case <-in.done:
		return in.result()
	default:
	}
	return Result{RequestID: in.id, Err: &Error{Type: "Runtime.ExitError",
		Message: fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", in.id, e.cmd.ProcessState)}}
}

// letDie gives a process that reported a panic the time to write its last lines.
func (e *environment) letDie() {
	if !e.spent.Load() {
		return
	}
	select {
	case <-e.exited:
	case <-time.After(5 * time.Second):
	}
}

// dead reports whether the process has ended.
func (e *environment) dead() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

// kill kills the process.
func (e *environment) kill() { _ = e.cmd.Process.Kill() }

// close kills the process, waits for its end and stops the server.
func (e *environment) close() {
	e.kill()
	<-e.exited
	_ = e.server.Close()
}
