// Package backup_test runs the built pgseal against real servers and real
// stores: what it uploads is unpacked again, started, and asked questions.
package backup_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// server is the name of every cluster in its vault.
const server = "main"

// places are a vault and its staging, as the command line names them and as the
// test sees them.
type places struct {
	vaultURL, stagingURL string
	env                  []string // of whoever is to use them
	vault, staging       bucket.Bucket
}

// filePlaces makes a locked directory and one without a lock.
func filePlaces(t testing.TB) places {
	t.Helper()
	dir := pgtest.Dir(t)
	p := places{vaultURL: "file://" + dir + "/vault", stagingURL: "file://" + dir + "/staging"}
	if err := filebucket.Init(p.vaultURL, filebucket.Lock{}); err != nil {
		t.Fatal(err)
	}
	if err := filebucket.InitStaging(p.stagingURL); err != nil {
		t.Fatal(err)
	}
	pgtest.Own(t, dir)
	p.vault, p.staging = openFile(t, p.vaultURL), openFile(t, p.stagingURL)
	return p
}

func openFile(t testing.TB, url string) bucket.Bucket {
	t.Helper()
	b, err := filebucket.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// archiveCommand stores WAL in the vault.
func (p places) archiveCommand(t testing.TB) string {
	t.Helper()
	return build.Pgseal(t) + " wal-archive " + p.vaultURL + " " + server + " %p"
}

// cluster makes a cluster that archives into the vault.
func (p places) cluster(t testing.TB, o pgtest.Options) *pgtest.Cluster {
	t.Helper()
	o.ArchiveCommand, o.Env = p.archiveCommand(t), p.env
	return pgtest.New(t, o)
}

// outcome is a run of pgseal that has ended.
type outcome struct {
	code           int
	stdout, stderr string
	maxRSS         int64 // bytes
}

// id is the backup's id in what was printed.
func (o outcome) id(t testing.TB) string {
	t.Helper()
	id := regexp.MustCompile(`\b\d{8}T\d{6}\b`).FindString(o.stdout + o.stderr)
	if id == "" {
		t.Fatalf("no backup id in\n%s%s", o.stdout, o.stderr)
	}
	return id
}

// command prepares pgseal with an environment beyond the harness's.
func command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := pgtest.Command(context.Background(), build.Pgseal(t), args...)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// run runs a prepared pgseal to its end.
func run(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	peak, err := pgtest.RunPeak(cmd)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), peak}
}

// backup runs `pgseal backup` of a cluster with a fast checkpoint.
func (p places) backup(t testing.TB, c *pgtest.Cluster, args ...string) outcome {
	t.Helper()
	return run(t, p.backupCommand(t, c, args...))
}

func (p places) backupCommand(t testing.TB, c *pgtest.Cluster, args ...string) *exec.Cmd {
	t.Helper()
	all := append([]string{"backup", "--staging-url", p.stagingURL, "-d", c.DSN(), "--immediate-checkpoint"}, args...)
	return command(t, p.env, append(all, p.vaultURL, server)...)
}

// mustBackup is backup that has to end with exit code 0, and returns the id.
func (p places) mustBackup(t testing.TB, c *pgtest.Cluster, args ...string) string {
	t.Helper()
	o := p.backup(t, c, args...)
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	t.Logf("%s%s", o.stderr, o.stdout)
	return o.id(t)
}

// keys lists a place below a prefix.
func keys(t testing.TB, b bucket.Bucket, prefix string) []string {
	t.Helper()
	var all []string
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Key)
	}
	return all
}

// content reads an object.
func content(t testing.TB, b bucket.Bucket, key string) string {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), b, key, "", 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
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
