// Package doctor_test runs the built pgseal doctor as the database host on the three local clouds: on a deployment that is
// well, where it says nothing, and on one defect after the other, each of which is found by its own line and no other.
package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/doctor"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const (
	server = "main"
	days   = 24 * time.Hour
)

// scene is a deployment.
type scene struct {
	*clouds.Cloud
	cluster *pgtest.Cluster // nil where there is none
}

// config is that of a vault which locks for seven days.
var config = cloud.Config{Prefix: "barman", Server: server, VaultRetention: 7 * days}

// run runs pgseal as somebody, and gives its exit code and what it wrote.
func (s *scene) run(t testing.TB, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := pgtest.Command(context.Background(), build.Pgseal(t), args...)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// must is run that has to end with exit code 0.
func (s *scene) must(t testing.TB, env []string, args ...string) string {
	t.Helper()
	code, stdout, stderr := s.run(t, env, args...)
	if code != 0 {
		t.Fatalf("pgseal %q: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout + stderr
}

// visit is how the doctor is called, besides the usual.
type visit struct {
	vault, staging string // other URLs; "" is the scene's
	dsn            string // "" is the scene's cluster, if there is one; "none" is no server
	args, env      []string
}

// examine runs pgseal doctor as the host.
func (s *scene) examine(t testing.TB, v visit, format ...string) (code int, stdout, stderr string) {
	t.Helper()
	args := append([]string{"doctor"}, format...)
	if v.dsn == "" && s.cluster != nil {
		v.dsn = s.cluster.DSN()
	}
	if v.dsn != "" && v.dsn != "none" {
		args = append(args, "-d", v.dsn)
	}
	if v.vault == "" {
		v.vault = s.VaultURL()
	}
	if v.staging == "" {
		v.staging = s.StagingURL()
	}
	args = append(append(args, v.args...), "--staging-url", v.staging, v.vault, server)
	return s.run(t, append(s.Env(cloud.Host), v.env...), args...)
}

// report is what --format json says, and the table has to say the same.
func (s *scene) report(t testing.TB, v visit) doctor.Report {
	t.Helper()
	code, stdout, stderr := s.examine(t, v, "--format", "json")
	var r doctor.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("exit code %d: %v\n%s%s", code, err, stdout, stderr)
	}
	if want := map[doctor.State]int{doctor.OK: 0, doctor.Warning: 1, doctor.Critical: 2}[r.Worst()]; code != want || r.Format != 1 || r.Server != server {
		t.Errorf("exit code %d, want %d\n%s", code, want, stdout)
	}
	for i, l := range r.Lines {
		if l.Check != doctor.Checks[i] || l.Text == "" || (l.Next != "") != (l.State == doctor.Warning || l.State == doctor.Critical) {
			t.Errorf("%+v", l)
		}
	}
	return r
}

// lines are the checks that came to that.
func lines(r doctor.Report, states ...doctor.State) map[string]doctor.State {
	found := map[string]doctor.State{}
	for _, l := range r.Lines {
		for _, s := range states {
			if l.State == s {
				found[l.Check] = s
			}
		}
	}
	return found
}

// wantProblems fails the test unless exactly these lines are warnings and critical.
func wantProblems(t testing.TB, r doctor.Report, want map[string]doctor.State) {
	t.Helper()
	if have := lines(r, doctor.Warning, doctor.Critical); !maps.Equal(have, want) {
		text, _ := json.MarshalIndent(r.Lines, "", " ")
		t.Errorf("problems %v, want %v\n%s", have, want, text)
	}
}

// wantFits fails the test unless every line of a table fits on a terminal.
func wantFits(t testing.TB, table string) {
	t.Helper()
	for line := range strings.Lines(table) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 100 || strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("%q", line)
		}
	}
}

func (s *scene) open(t testing.TB, who, url string) bucket.Bucket {
	t.Helper()
	b, err := s.Open(t.Context(), who, url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everything lists all versions in a place, with what tells them apart.
func everything(t testing.TB, b bucket.Bucket) (all []string) {
	t.Helper()
	for obj, err := range b.ListVersions(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, obj.Key+" "+obj.Version+" "+obj.ETag)
	}
	return all
}

// until waits for something that another process does.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}
