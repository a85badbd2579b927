package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a server. It is far above what anything takes on a slow machine: it only turns a test
// that would hang into one that fails with the server's log.
const patience = 2 * time.Minute

// server is one run of a postmaster, a child of the test binary: so its end is noticed at once, and none stays as a zombie.
type server struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the postmaster is gone; err is set before
	err    error
}

// Start starts the stopped server and waits until it answers queries.
func (c *Cluster) Start() {
	c.t.Helper()
	c.launch()
	c.waitFor("the server to answer", func(ctx context.Context) error {
		_, err := c.TrySQL(ctx, "SELECT 1")
		return err
	})
}

// launch starts the postmaster and does not wait for it.
func (c *Cluster) launch() {
	c.t.Helper()
	if c.server != nil {
		c.t.Fatal("pgtest: the server is running already")
	}
	log, err := os.OpenFile(c.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	args := []string{"-D", c.DataDir}
	for _, setting := range c.arguments {
		args = append(args, "-c", setting)
	}
	// The background context: the server ends with the test's cleanup and not before the test's other cleanups.
	cmd := Command(context.Background(), c.Install.Program("postgres"), args...)
	cmd.Env = append(cmd.Env, c.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("start %v: %v", c.Install, err)
	}
	s := &server{cmd: cmd, exited: make(chan struct{})}
	go func() {
		s.err = cmd.Wait()
		close(s.exited)
	}()
	c.server = s
	c.t.Cleanup(func() {
		if c.t.Failed() && c.server == s {
			c.t.Logf("the end of %s:\n%s", c.logFile(), lastLines(c.Log(), 40))
		}
		if c.server == s {
			c.signalAndWait(syscall.SIGQUIT) // the directory goes away next: no shutdown checkpoint
		}
	})
}

// Stop shuts the server down in the fast way: sessions are cut, a checkpoint is written, and all WAL is archived. It
// does nothing to a stopped server.
func (c *Cluster) Stop() {
	c.t.Helper()
	c.signalAndWait(syscall.SIGINT)
}

// Restart stops and starts the server.
func (c *Cluster) Restart() {
	c.t.Helper()
	c.Stop()
	c.Start()
}

// Kill9 kills the server and all its processes as a loss of power would, for an archive_command that runs: its parent
// is gone, and it goes on. Start then recovers.
func (c *Cluster) Kill9() {
	c.t.Helper()
	if c.server == nil {
		c.t.Fatal("pgtest: the server is not running")
	}
	pids := children(c.server.cmd.Process.Pid)
	c.signalAndWait(syscall.SIGKILL)
	for _, pid := range pids {
		// They end by themselves when they notice; a new postmaster refuses the shared memory that they still hold.
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			c.t.Fatalf("kill process %d of the server: %v", pid, err)
		}
	}
	c.waitFor("the server's processes to end", func(context.Context) error {
		for _, pid := range pids {
			if alive(pid) {
				return fmt.Errorf("process %d is alive", pid)
			}
		}
		return nil
	})
}

func (c *Cluster) signalAndWait(sig syscall.Signal) {
	c.t.Helper()
	s := c.server
	if s == nil {
		return
	}
	c.server = nil
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.t.Errorf("signal the server: %v", err)
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		c.t.Errorf("the server did not stop on %v; its log ends:\n%s", sig, lastLines(c.Log(), 40))
		s.cmd.Process.Kill()
		<-s.exited
	}
}

// waitFor calls check until it returns nil, and fails the test when that takes too long or when the server dies.
func (c *Cluster) waitFor(what string, check func(context.Context) error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var exited chan struct{}
	if c.server != nil {
		exited = c.server.exited
	}
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-exited:
			end := c.server.err
			c.server = nil
			c.t.Fatalf("wait for %s: the server ended (%v); its log ends:\n%s", what, end, lastLines(c.Log(), 40))
		case <-ctx.Done():
			c.t.Fatalf("wait for %s: not after %v: %v; the server's log ends:\n%s", what, patience, err, lastLines(c.Log(), 40))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Log is all that the server has logged, over all its runs.
func (c *Cluster) Log() string {
	c.t.Helper()
	log, err := os.ReadFile(c.logFile())
	if err != nil {
		c.t.Errorf("read the server's log: %v", err)
	}
	return string(log)
}

func (c *Cluster) logFile() string { return filepath.Join(c.root, "server.log") }

// children lists the direct children of a process.
func children(pid int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		panic(err)
	}
	var all []int
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if fields := processStat(child); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			all = append(all, child)
		}
	}
	return all
}

// alive says whether a process runs; one that waits for its parent to notice its end does not.
func alive(pid int) bool {
	fields := processStat(pid)
	return len(fields) > 0 && fields[0] != "Z" && fields[0] != "X"
}

// processStat is /proc/<pid>/stat from the third field (state, parent, ...); empty when there is no such process.
func processStat(pid int) []string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	return strings.Fields(rest)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
