package drill

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// server is the PostgreSQL of a drill, a child of this process.
type server struct {
	process *os.Process
	log     string
	ended   chan struct{}
	err     error // how it ended
}

// startServer starts PostgreSQL on what was restored.
func (h *held) startServer() (*server, error) {
	log, err := os.OpenFile(h.scratch.log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(h.programs.path("postgres"), "-D", h.scratch.data(), "-c", "config_file="+h.scratch.config()) //nolint:noctx // it is stopped as PostgreSQL is stopped
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = h.scratch.dir, environment(), log, log, alone()
	s := &server{log: h.scratch.log(), ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal of alone comes when the thread ends that started the process: this one stays as long as that.
		runtime.LockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			s.err = cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return s, nil
}

// environment is this process's, for restore_command has its credentials there, without what PostgreSQL's programs read.
func environment(more ...string) (env []string) {
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PG") || strings.HasPrefix(e, "PGSEAL_") {
			env = append(env, e)
		}
	}
	return append(env, more...)
}

// The time that each way to stop is given.
const (
	fastStop      = time.Minute
	immediateStop = 30 * time.Second
)

// stop ends the server and waits for it: in order, or in a hurry at once.
func (s *server) stop(hurry bool) {
	for _, way := range []struct {
		signal os.Signal
		wait   time.Duration
		slow   bool
	}{{syscall.SIGINT, fastStop, true}, {syscall.SIGQUIT, immediateStop, false}, {syscall.SIGKILL, immediateStop, false}} {
		if way.slow && hurry {
			continue
		}
		_ = s.process.Signal(way.signal) // it may have ended
		select {
		case <-s.ended:
			return
		case <-time.After(way.wait):
		}
	}
}

// gone tells whether it has ended by itself.
func (s *server) gone() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

const (
	maxTail  = 16 << 10
	tailText = 1200
)

// last is the end of the log, on one line: what the server died of stands there.
func (s *server) last() string {
	f, err := os.Open(s.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err.Error()
	}
	tail, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-maxTail), maxTail))
	if err != nil && !errors.Is(err, io.EOF) {
		return err.Error()
	}
	return lastLines(string(tail), tailText)
}

// lastLines are as many whole lines from the end of a text as have room, joined.
func lastLines(text string, room int) string {
	var keep []string
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.Join(strings.Fields(lines[i]), " ")
		if line == "" || strings.HasPrefix(line, "LOG: database system is shut down") {
			continue
		}
		if room -= len(line) + 3; room < 0 && len(keep) > 0 {
			break
		}
		keep = append([]string{line}, keep...)
	}
	return strings.Join(keep, " / ")
}
