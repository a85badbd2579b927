// Package instance runs a program that serves HTTP on a local port, in as many processes as there are requests for, as
// platforms do that scale by requests: functionsframework and functionshost are built on it.
package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Config says what runs, and how many of it.
type Config struct {
	Program string
	Args    []string
	Dir     string
	Env     func(port string) []string // of the process; nothing of the caller's own environment is passed on
	// Concurrency is how many requests one instance handles at once, and Max how many instances may run.
	Concurrency, Max int
	// Probe tells whether a process can take requests: AnswersHTTP or Listens. It must succeed within Startup.
	Probe   func(ctx context.Context, address string) error
	Startup time.Duration
	Log     io.Writer // gets the output as it comes; nil is nowhere
}

// The two ways in which no instance can be had.
var (
	ErrBusy   = errors.New("all instances are busy")
	ErrClosed = errors.New("the function is closed")
)

// Pool holds the instances of one program.
type Pool struct {
	config Config
	logs   *logBuffer

	mu     sync.Mutex
	all    []*instance
	starts int
	closed bool
}

// New makes a pool. No process runs until the first request. The caller ends it with Close.
func New(config Config) *Pool {
	return &Pool{config: config, logs: &logBuffer{copy: config.Log}}
}

// Answer is the answer to one request.
type Answer struct {
	Status    int
	Header    http.Header
	Body      []byte
	ColdStart bool // the instance was started for this request
}

// Post sends one request to an instance and reads the answer. An ended context cuts the connection and leaves the
// instance alone.
func (p *Pool) Post(ctx context.Context, path string, header http.Header, body []byte) (Answer, error) {
	i, cold, err := p.acquire()
	if err != nil {
		return Answer{}, err
	}
	defer p.release(i)
	answer := Answer{ColdStart: cold}
	if err := i.wait(ctx); err != nil {
		return answer, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+i.address+path, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := i.client.Do(r)
	if err != nil {
		return answer, fmt.Errorf("no answer: %w%s", err, i.obituary())
	}
	defer resp.Body.Close()
	answer.Status, answer.Header = resp.StatusCode, resp.Header
	if answer.Body, err = io.ReadAll(resp.Body); err != nil {
		return answer, fmt.Errorf("a broken answer: %w%s", err, i.obituary())
	}
	return answer, nil
}

// acquire takes an instance that has room, or starts one.
func (p *Pool) acquire() (*instance, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, ErrClosed
	}
	alive := p.all[:0]
	for _, i := range p.all {
		if !i.dead() {
			alive = append(alive, i)
		}
	}
	p.all = alive
	for _, i := range p.all {
		if i.busy < p.config.Concurrency {
			i.busy++
			return i, false, nil
		}
	}
	if len(p.all) >= p.config.Max {
		return nil, false, ErrBusy
	}
	i, err := start(p.config, p.logs)
	if err != nil {
		return nil, false, err
	}
	i.busy = 1
	p.starts++
	p.all = append(p.all, i)
	return i, true, nil
}

func (p *Pool) release(i *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i.busy--
}

// Kill kills every instance, in the middle of whatever it does. The next request starts a new one.
func (p *Pool) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.all {
		i.kill()
	}
}

// Starts is how many instances have been started so far: the number of cold starts.
func (p *Pool) Starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// Logs is everything that the instances have written.
func (p *Pool) Logs() string { return p.logs.String() }

// Logf adds a line of the platform's own.
func (p *Pool) Logf(format string, args ...any) { fmt.Fprintf(p.logs, format+"\n", args...) }

// Close ends all instances. Running requests fail.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	all := p.all
	p.mu.Unlock()
	for _, i := range all {
		i.kill()
		<-i.exited
	}
}

// logBuffer collects the output of several processes.
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
