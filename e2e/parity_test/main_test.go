// Package parity_test holds docs/parity.md to the truth: each row of its table is a case here, which runs stock
// barman-cloud (Debian's) and pgseal on the same catalogue and compares what they print, leave behind and end with.
package parity_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// scene is a local S3 whose vault locks only what asks for it; stock barman-cloud cannot change anything in another.
type scene struct {
	*clouds.Cloud
	vault bucket.Bucket // as somebody who may do anything sees it
	who   string        // whom the programs act as; "" is somebody who may do anything
	links string        // a directory with pgseal under barman-cloud's names

	barman *barman
}

func newScene(t *testing.T) *scene {
	t.Helper()
	c := clouds.AWS.Start(t, cloud.Config{Prefix: "barman"})
	vault, err := c.Open(t.Context(), cloud.Breakglass, c.VaultURL())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{Cloud: c, vault: vault, links: t.TempDir()}
	s.barman = startBarman(t, s.env())
	return s
}

// env is all that the programs have in their environment.
func (s *scene) env() []string {
	var env []string
	if s.Cloud != nil { // else a directory
		env = s.Env(cmp.Or(s.who, cloud.Breakglass))
	}
	return append(env, "TZ=UTC", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "AWS_MAX_ATTEMPTS=1")
}

// outcome is a program that has ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a program to its end.
func (s *scene) run(t *testing.T, program string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = s.env()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// stock runs Debian's program of that name.
func (s *scene) stock(t *testing.T, name string, args ...string) outcome {
	t.Helper()
	return s.barman.run(t, name, slices.Concat(s.Stock(s.Store), args))
}

// pgseal runs pgseal under the name of barman's program.
func (s *scene) pgseal(t *testing.T, name string, args ...string) outcome {
	t.Helper()
	link := filepath.Join(s.links, "barman-cloud-"+name)
	if err := os.Symlink(build.Pgseal(t), link); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	if s.Cloud != nil && s.Stock != nil {
		args = slices.Concat(s.Stock(s.Store), args)
	}
	return s.run(t, link, args...)
}

// both runs the two at the same time, which is for what only reads, and demands the same exit code.
func (s *scene) both(t *testing.T, name string, args ...string) (stock, ours outcome) {
	t.Helper()
	var wait sync.WaitGroup
	wait.Go(func() { stock = s.stock(t, name, args...) })
	ours = s.pgseal(t, name, args...)
	wait.Wait()
	if stock.code != ours.code {
		t.Errorf("%s %q: exit code %d, stock %d\n%s\n%s", name, args, ours.code, stock.code, ours.stderr, stock.stderr)
	}
	return stock, ours
}

// same runs the two and demands the same exit code and the same bytes on standard output.
func (s *scene) same(t *testing.T, code int, name string, args ...string) {
	t.Helper()
	stock, ours := s.both(t, name, args...)
	if ours.code != code || ours.stdout != stock.stdout {
		t.Errorf("%s %q: exit code %d, want %d\npgseal:\n%s%s\nstock:\n%s%s", name, args, ours.code, code, ours.stdout, ours.stderr, stock.stdout, stock.stderr)
	}
}

// put stores an object, which must be new.
func put(t *testing.T, b bucket.Bucket, key, body string) {
	t.Helper()
	if _, err := b.Create(context.WithoutCancel(t.Context()), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// keys are what stands below a prefix, delete markers aside.
func keys(t *testing.T, b bucket.Bucket, prefix string) (all []string) {
	t.Helper()
	for obj, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, obj.Key)
	}
	return all
}
