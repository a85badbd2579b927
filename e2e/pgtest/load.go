package pgtest

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// LoadPgbench fills the database with pgbench's tables: scale times 100,000 accounts, about 15 MB each.
func (c *Cluster) LoadPgbench(scale int) {
	c.t.Helper()
	Run(c.t, c.pgbench(), append(c.clientArgs(), "--initialize", "--quiet", "--scale", strconv.Itoa(scale))...)
}

// RunPgbench runs pgbench's transactions with a number of clients in the background until the returned function is
// called, or the test ends. After the function nothing more is written. It fails the test when pgbench could not go on,
// and may be called again.
// Each transaction adds one row to pgbench_history.
func (c *Cluster) RunPgbench(clients int) (stop func()) {
	c.t.Helper()
	before := c.SQL("SELECT count(*) FROM pgbench_history")
	var out strings.Builder
	cmd := Command(context.Background(), c.pgbench(), append(c.clientArgs(),
		"--no-vacuum", "--client", strconv.Itoa(clients), "--time", "86400")...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	exited := make(chan struct{})
	var end error
	go func() {
		end = cmd.Wait()
		close(exited)
	}()
	stopped := false
	stop = func() {
		c.t.Helper()
		if stopped {
			return
		}
		stopped = true
		running := cmd.Process.Signal(syscall.SIGTERM) == nil
		<-exited
		// pgbench does not handle SIGTERM: it dies of it.
		var exit *exec.ExitError
		if !running || !errors.As(end, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			c.t.Errorf("pgbench: %v\n%s", end, out.String())
			return
		}
		// The server learns of it late: a last transaction may still commit.
		if c.server != nil {
			c.waitFor("pgbench's sessions to end", func(ctx context.Context) error {
				n, err := c.TrySQL(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'")
				if err == nil && n != "0" {
					err = errors.New(n + " sessions")
				}
				return err
			})
		}
	}
	c.t.Cleanup(stop)
	// Only from here on is there really traffic.
	c.waitFor("pgbench's first transactions", func(ctx context.Context) error {
		now, err := c.TrySQL(ctx, "SELECT count(*) FROM pgbench_history")
		if err == nil && now == before {
			err = errors.New("none yet")
		}
		return err
	})
	return stop
}

// CreateLoad adds a table of about so many megabytes (2^20) and returns its name. Its text is hexadecimal digits of
// digests: lz4 hardly makes it smaller, gzip halves it.
func (c *Cluster) CreateLoad(mb int) string {
	c.t.Helper()
	c.SQL(`CREATE SEQUENCE IF NOT EXISTS pgtest_loads`)
	table := "load_" + c.SQL(`SELECT nextval('pgtest_loads')`)
	// 8 rows of 960 digits, and 8 bytes of integer, fill a page.
	c.SQL(`CREATE TABLE ` + table + ` (i int, t text);
		ALTER TABLE ` + table + ` ALTER t SET STORAGE PLAIN;
		INSERT INTO ` + table + `
			SELECT i, (SELECT string_agg(md5(i || '.' || j), '') FROM generate_series(1, 30) j)
			FROM generate_series(1, ` + strconv.Itoa(mb*1024) + `) i`)
	return table
}

func (c *Cluster) pgbench() string {
	c.t.Helper()
	path, err := clientProgram("pgbench")
	if err != nil {
		c.t.Fatal(err)
	}
	return path
}

// clientArgs are the connection arguments of PostgreSQL's client programs.
func (c *Cluster) clientArgs() []string {
	return []string{"--host=" + c.SocketDir, "--port=" + strconv.Itoa(c.Port), "--username=postgres"}
}
