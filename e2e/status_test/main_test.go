// Package status_test runs the built pgseal status and pgseal finalize on vaults that real backups and hands have filled,
// and types the commands that they print.
package status_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const server = "main"

// outcome is a program that has ended.
type outcome struct {
	code           int
	stdout, stderr string
}

func run(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want holds an outcome to an exit code and to words in what was printed.
func (o outcome) want(t testing.TB, code int, words ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", o.code, code, o.stdout, o.stderr)
	}
	for _, w := range words {
		if !strings.Contains(o.stdout+o.stderr, w) {
			t.Errorf("%q is not in\n%s%s", w, o.stdout, o.stderr)
		}
	}
	return o
}

// places are a vault and its staging.
type places struct{ vault, staging string }

// pgseal prepares one of its commands on the places, as whoever the environment makes of it.
func (p places) pgseal(t testing.TB, env []string, command string, args ...string) *exec.Cmd {
	t.Helper()
	all := append([]string{command, "--staging-url", p.staging, p.vault, server}, args...)
	cmd := pgtest.Command(context.Background(), build.Pgseal(t), all...)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// status is what --format json says.
func (p places) status(t testing.TB, env []string) catalog.Catalog {
	t.Helper()
	o := run(t, p.pgseal(t, env, "status", "--format", "json")).want(t, 0)
	var c catalog.Catalog
	if err := json.Unmarshal([]byte(o.stdout), &c); err != nil {
		t.Fatalf("%v\n%s", err, o.stdout)
	}
	return c
}

// becomes waits until the newest backup has that name and stands so, and returns it.
func (p places) becomes(t testing.TB, env []string, name string, want catalog.State) catalog.Backup {
	t.Helper()
	var last []catalog.Backup
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if last = p.status(t, env).Backups; len(last) > 0 && last[0].Name == name && last[0].State == want {
			return last[0]
		}
	}
	t.Fatalf("%q never becomes %s: %+v", name, want, last)
	return catalog.Backup{}
}

// typed runs a command as it was printed, in a shell that finds pgseal.
func typed(t testing.TB, env []string, command string) outcome {
	t.Helper()
	cmd := pgtest.Command(context.Background(), "/bin/sh", "-c", "PATH="+filepath.Dir(build.Pgseal(t))+":$PATH; "+command)
	cmd.Env = append(cmd.Env, env...)
	return run(t, cmd)
}
