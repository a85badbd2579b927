// Package story_test tells the whole story through the built programs: a server
// archives its WAL and is backed up as the host, the Lambda binary is woken by
// the marker and seals as the finalizer, and stock barman lists, restores and
// recovers what is there. The S3 is as strict as the real one (package
// localaws), with a vault that locks whatever it is given.
package story_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// server is the name of every cluster in its vault.
const server = "main"

// outcome is a program that has ended.
type outcome struct {
	code           int // -1: it died of a signal
	stdout, stderr string
}

// program prepares a program as the servers' user, with an environment beyond
// the harness's.
func program(env []string, path string, args ...string) *exec.Cmd {
	cmd := pgtest.Command(context.Background(), path, args...)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// run runs a prepared program to its end.
func run(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	return start(t, cmd)()
}

// start starts a prepared program; the function waits for its end.
func start(t testing.TB, cmd *exec.Cmd) (wait func() outcome) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	wait = func() outcome {
		t.Helper()
		ended = true
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	}
	t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return wait
}

// want fails the test unless the program ended with this code and said the
// words, on either output.
func (o outcome) want(t testing.TB, code int, words ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", o.code, code, o.stdout, o.stderr)
	}
	has(t, o.stdout+o.stderr, words...)
	return o
}

// has fails the test unless every part is in the text.
func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// until waits for something that another process does.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// backupOf prepares `pgseal backup` of a cluster with a fast checkpoint.
func (p place) backupOf(t testing.TB, c *pgtest.Cluster, flags ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--staging-url", p.stagingURL}, flags...)
	return program(p.env, build.Pgseal(t), append(args, p.vaultURL, server)...)
}

// place is a vault and its staging as the database host names them, with the
// environment it has for that.
type place struct {
	vaultURL, stagingURL string
	env                  []string
}

// cluster makes a cluster that archives into the vault.
func (p place) cluster(t testing.TB, o pgtest.Options) *pgtest.Cluster {
	t.Helper()
	o.ArchiveCommand = build.Pgseal(t) + " wal-archive " + p.vaultURL + " " + server + " %p"
	o.Env = p.env
	return pgtest.New(t, o)
}

// sealed runs a backup that has to end with exit code 0 and the word, and
// returns the backup's id.
func sealed(t testing.TB, cmd *exec.Cmd) (id string) {
	t.Helper()
	o := run(t, cmd).want(t, 0, " is sealed: ")
	t.Log(strings.TrimSpace(o.stdout))
	return idIn(t, o)
}

// idIn is the backup's id in what pgseal printed: "backup <id> is ...".
func idIn(t testing.TB, o outcome) string {
	t.Helper()
	_, rest, _ := strings.Cut(o.stdout+o.stderr, "backup ")
	id, _, found := strings.Cut(rest, " ")
	if !found {
		t.Fatalf("no backup id in\n%s%s", o.stdout, o.stderr)
	}
	return id
}
