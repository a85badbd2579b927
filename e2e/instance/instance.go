package instance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync/atomic"
	"time"
)

// instance is one process.
type instance struct {
	cmd     *exec.Cmd
	address string
	client  *http.Client
	ready   chan struct{} // closed when it can take requests
	exited  chan struct{} // closed when the process has ended
	killed  atomic.Bool
	busy    int // requests; under the pool's lock
}

// start starts a process on a port that was free a moment ago.
func start(config Config, logs *logBuffer) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if closed := listener.Close(); err != nil || closed != nil {
		return nil, errors.Join(err, closed)
	}
	i := &instance{
		cmd: exec.Command(config.Program, config.Args...), address: "127.0.0.1:" + port,
		ready: make(chan struct{}), exited: make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
	}
	i.cmd.Dir, i.cmd.Env = config.Dir, config.Env(port)
	i.cmd.Stdout, i.cmd.Stderr = logs, logs
	i.cmd.WaitDelay = 5 * time.Second
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = i.cmd.Wait()
		i.client.CloseIdleConnections()
		close(i.exited)
	}()
	go i.probe(config.Probe, config.Startup)
	return i, nil
}

// AnswersHTTP is a probe that asks for "/" and takes any answer.
func AnswersHTTP(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Listens is a probe that connects.
func Listens(ctx context.Context, address string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// probe closes ready when the probe succeeds, and kills a process that takes too long.
func (i *instance) probe(ask func(context.Context, string) error, within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for ask(ctx, i.address) != nil {
		select {
		case <-i.exited:
			return
		case <-ctx.Done():
			i.kill()
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
	close(i.ready)
}

// wait waits until the process can take requests.
func (i *instance) wait(ctx context.Context) error {
	select {
	case <-i.ready:
		return nil
	case <-i.exited:
		return fmt.Errorf("the program ended before it answered: %s", i.cmd.ProcessState)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// obituary says how the process ended, if it did.
func (i *instance) obituary() string {
	select {
	case <-i.exited:
		return fmt.Sprintf(" (the program ended: %s)", i.cmd.ProcessState)
	case <-time.After(100 * time.Millisecond):
		return ""
	}
}

// dead tells whether it takes no more requests.
func (i *instance) dead() bool {
	if i.killed.Load() {
		return true
	}
	select {
	case <-i.exited:
		return true
	default:
		return false
	}
}

func (i *instance) kill() {
	i.killed.Store(true)
	_ = i.cmd.Process.Kill()
}
