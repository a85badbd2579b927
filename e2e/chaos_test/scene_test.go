package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// abandonAfter is more than the uploader's ten seconds between two heartbeats.
const abandonAfter = 15 * time.Second

// scene is a local cloud with a function, and a server that archives into it.
type scene struct {
	*clouds.Cloud
	vault, staging bucket.Bucket // as somebody who may do anything sees them
	fn             cloud.Function
	source         *pgtest.Cluster
	luck           *rand.Rand
	trigger        clouds.Trigger
	rows           int          // of the table marks
	killed         atomic.Int64 // how often the function was
}

func begin(t *testing.T, k clouds.Kind, luck *rand.Rand) *scene {
	t.Helper()
	s := &scene{Cloud: k.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 24 * time.Hour}), luck: luck}
	for place, url := range map[*bucket.Bucket]string{&s.vault: s.VaultURL(), &s.staging: s.StagingURL()} {
		var err error
		if *place, err = s.Open(t.Context(), cloud.Breakglass, url); err != nil {
			t.Fatal(err)
		}
	}
	s.fn = s.Deploy(t, finalizer.EnvMinRetention+"=23h", finalizer.EnvAbandonAfter+"="+abandonAfter.String())
	s.trigger = s.Connect(t, s.fn, time.Second)
	s.source = pgtest.New(t, pgtest.Options{
		Install: pgtest.Find(t, 15), Checksums: true, WALSegmentSizeMB: 1,
		ArchiveCommand: build.Pgseal(t) + " wal-archive " + s.VaultURL() + " " + server + " %p", Env: s.Env(cloud.Host),
	})
	s.source.CreateLoad(24)
	s.source.SQL("CREATE TABLE marks (n int)")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the function's log:\n%s", s.fn.Logs())
		}
	})
	return s
}

// command prepares pgseal as somebody.
func (s *scene) command(t *testing.T, who string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := pgtest.Command(context.Background(), build.Pgseal(t), args...)
	cmd.Env = append(append(cmd.Env, s.Env(who)...), "PGSEAL_STAGING_URL="+s.StagingURL(), finalizer.EnvAbandonAfter+"="+abandonAfter.String())
	return cmd
}

// outcome is a program that has ended.
type outcome struct {
	code   int // -1: of a signal
	stdout string
	all    string
	id     string // of the backup, as far as it was said
	took   time.Duration
}

var backupID = regexp.MustCompile(`\b20\d{6}T\d{6}\b`)

// running is a program under way.
type running struct {
	cmd         *exec.Cmd
	stdout, all bytes.Buffer
	began       time.Time
	ended       chan struct{}
	err         error
}

func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, began: time.Now(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &r.stdout, &r.all
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.err = cmd.Wait(); close(r.ended) }()
	return r
}

// wait is for the program's end; one that does not come to it is stuck.
func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(4 * time.Minute):
		_ = r.cmd.Process.Kill()
		<-r.ended
		t.Errorf("stuck: %q\n%s", r.cmd.Args, r.all.String())
	}
	if exit := (*exec.ExitError)(nil); r.err != nil && !errors.As(r.err, &exit) {
		t.Fatal(r.err)
	}
	all := r.stdout.String() + r.all.String()
	return outcome{r.cmd.ProcessState.ExitCode(), r.stdout.String(), all, backupID.FindString(all), time.Since(r.began)}
}

func (o outcome) want(t *testing.T, code int) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\n%s", o.code, code, o.all)
	}
	return o
}

// backupCommand is a backup in parts small enough that most kills meet an upload of several requests.
func (s *scene) backupCommand(t *testing.T, flags ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"backup", "-v", "-d", s.source.DSN(), "--immediate-checkpoint", "-J", "2", "--min-chunk-size", "5MB"}, flags...)
	return s.command(t, cloud.Host, append(args, s.VaultURL(), server)...)
}

// backup takes one, after something was written that it, or its WAL, must hold.
func (s *scene) backup(t *testing.T, flags ...string) outcome {
	t.Helper()
	s.write()
	return start(t, s.backupCommand(t, flags...)).wait(t)
}

func (s *scene) write() {
	s.rows++
	s.source.SQL("INSERT INTO marks SELECT count(*) + 1 FROM marks")
}

// sweep runs the sweep as the finalizer; it may fail while the store does.
func (s *scene) sweep(t *testing.T) (r finalizer.SweepReport, o outcome) {
	t.Helper()
	o = start(t, s.command(t, cloud.Finalizer, "sweep", "--format", "json", s.VaultURL())).wait(t)
	_ = json.Unmarshal([]byte(o.stdout), &r)
	return r, o
}
