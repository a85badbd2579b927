package backup_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// started is a pgseal that runs.
type started struct {
	t      testing.TB
	cmd    *exec.Cmd
	mu     sync.Mutex
	stderr bytes.Buffer
	ended  chan struct{}
}

func (s *started) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(p)
}

func (s *started) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

func start(t testing.TB, cmd *exec.Cmd) *started {
	t.Helper()
	s := &started{t: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s, s
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-s.ended
	})
	return s
}

// until waits for something to become true while pgseal runs.
func (s *started) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.ended:
			s.t.Fatalf("ended before: %s\n%s", what, s.output())
		default:
		}
		if time.Now().After(end) {
			s.t.Fatalf("not in time: %s\n%s", what, s.output())
		}
	}
}

// eventually waits for something that happens by itself.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// wait waits for the end.
func (s *started) wait() outcome {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(2 * time.Minute):
		s.t.Fatalf("does not end\n%s", s.output())
	}
	return outcome{code: s.cmd.ProcessState.ExitCode(), stderr: s.output()}
}

// noSession waits until the server has no session of pgseal: a backend ends a
// moment after its client.
func noSession(t testing.TB, c *pgtest.Cluster) {
	t.Helper()
	eventually(t, "the end of pgseal's session", func() bool {
		return c.SQL("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgseal'") == "0"
	})
}

// failed checks what every failed backup leaves: FAILED in staging with a
// reason, no marker, no manifest and no seal in the vault.
func (p places) failed(t testing.TB, id string, reason ...string) {
	t.Helper()
	record := content(t, p.staging, layout.BackupInfo(server, id))
	has(t, record, append(reason, "status=FAILED", "begin_xlog=0/", "server_name=cloud")...)
	if left := keys(t, p.staging, layout.MarkerPrefix); len(left) > 0 {
		t.Errorf("markers: %q", left)
	}
	for _, key := range keys(t, p.vault, layout.BackupDir(server, id)) {
		if strings.HasSuffix(key, layout.ManifestName) || strings.HasSuffix(key, layout.BackupInfoName) {
			t.Errorf("%s is in the vault", key)
		}
	}
}

// TestInterrupted: the backup in PostgreSQL is ended, uploads are aborted, and
// staging tells the story.
func TestInterrupted(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		c.CreateLoad(60)
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			t.Run(sig.String(), func(t *testing.T) {
				store.ForgetRequests()
				s := start(t, p.backupCommand(t, c, "-J", "2", "--max-bandwidth", "16MB"))
				s.until("parts are sent", func() bool { // and not the last ones of the run before
					return strings.Contains(s.output(), "backup started in PostgreSQL") && len(store.Requests(cloud.Ops(cloud.Part))) > 0
				})
				s.cmd.Process.Signal(sig)
				o := s.wait()
				if o.code != 1 {
					t.Errorf("exit code %d", o.code)
				}
				t.Log(o.stderr)
				has(t, o.stderr, "ERROR: interrupted", "is given up; its record in staging says FAILED")
				p.failed(t, o.id(t), "error=failure uploading data (interrupted")
				noUploads(t, store)
				noSession(t, c)
			})
		}
	})
}

// TestKilled: nobody could write anything any more. The record says STARTED,
// and a heartbeat is there to grow old; the backup in PostgreSQL ends with its
// session.
func TestKilled(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	c.CreateLoad(30)
	s := start(t, p.backupCommand(t, c, "--max-bandwidth", "4MB"))
	s.until("bytes are sent", func() bool { return strings.Contains(s.output(), "backup started in PostgreSQL") })
	s.cmd.Process.Kill()
	o := s.wait()
	id := o.id(t)
	has(t, content(t, p.staging, layout.BackupInfo(server, id)), "status=STARTED", "begin_xlog=0/", "# pgseal claim: host ")
	var beat manifest.Progress
	if err := json.Unmarshal([]byte(content(t, p.staging, layout.Progress(server, id))), &beat); err != nil || beat.PID != s.cmd.Process.Pid {
		t.Errorf("%+v %v", beat, err)
	}
	noSession(t, c)
	p.mustBackup(t, c)
}

// TestAFileThatCannotBeRead: named, with its owner, before the first byte.
func TestAFileThatCannotBeRead(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	if err := os.WriteFile(filepath.Join(c.DataDir, "base", "stray"), nil, 0); err != nil {
		t.Fatal(err)
	}
	o := p.backup(t, c)
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	t.Log(o.stderr)
	has(t, o.stderr, `base/stray" cannot be read by user `, "mode 0000")
	p.failed(t, o.id(t), "stray")
	if left := keys(t, p.vault, layout.BaseDir(server)); len(left) > 0 {
		t.Errorf("stored: %q", left)
	}
	noSession(t, c)
}

// TestTheStoreRefusesAnArchive: in the middle, by a rule that was added.
func TestTheStoreRefusesAnArchive(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		c.CreateLoad(40)
		store.Faulty().Add(cloud.Fault{Op: cloud.Part, Bucket: store.VaultName(), Key: "barman/main/base/*", Action: cloud.Internal})
		store.ForgetRequests()
		o := p.backup(t, c)
		if o.code != 1 {
			t.Errorf("exit code %d", o.code)
		}
		t.Log(o.stderr)
		has(t, o.stderr, "/data", "500")
		p.failed(t, o.id(t), "error=failure uploading data (")
		noUploads(t, store)
	})
}

// TestTheSessionIsLost: PostgreSQL has ended the backup with it, so the upload
// ends as soon as pgseal asks the next time.
func TestTheSessionIsLost(t *testing.T) {
	t.Parallel() // it takes up to 30 s, most of them idle
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	c.CreateLoad(60)
	s := start(t, p.backupCommand(t, c, "--max-bandwidth", "512KB"))
	s.until("bytes are sent", func() bool { return strings.Contains(s.output(), "backup started in PostgreSQL") })
	c.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgseal'")
	o := s.wait()
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	t.Log(o.stderr)
	has(t, o.stderr, "backup session lost")
	p.failed(t, o.id(t), "backup session lost")
}
