// Package drill_test holds drills with the built pgseal, as the identity that restores: of backups that come back, and of
// some that do not.
package drill_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// story is a cloud, a cluster that is backed up there, and the scratch directory of its drills.
type story struct {
	*sealed.Scene
	source  *pgtest.Cluster
	scratch string
}

// drill prepares a drill of a backup.
func (s *story) drill(t *testing.T, backup string, flags ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"drill", "--staging-url", s.StagingURL(), "--scratch-directory", s.scratch, "--pg-bindir", s.source.Install.BinDir}, flags...)
	return s.Command(cloud.Restore, build.Pgseal(t), append(args, s.VaultURL(), sealed.Server, backup)...)
}

// proof reads what the last drill of a backup left.
func (s *story) proof(t *testing.T, id string) (proof.Proof, bucket.Object) {
	t.Helper()
	staging, err := s.Open(t.Context(), cloud.Restore, s.StagingURL())
	if err != nil {
		t.Fatal(err)
	}
	p, obj, err := proof.Read(t.Context(), staging, sealed.Server, id)
	if err != nil {
		t.Fatal(err)
	}
	return p, obj
}

// status runs `pgseal status`.
func (s *story) status(t *testing.T, who string, flags ...string) sealed.Outcome {
	t.Helper()
	args := append([]string{"status", "--staging-url", s.StagingURL()}, flags...)
	return sealed.Run(t, s.Command(who, build.Pgseal(t), append(args, s.VaultURL(), sealed.Server)...))
}

// clean fails the test when a drill left something.
func (s *story) clean(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(s.scratch)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s is left", e.Name())
	}
}

// underWay waits until the server of a drill runs its query, and gives its process.
func (s *story) underWay(t *testing.T, said *lines) (pid int) {
	t.Helper()
	said.wait(t, "step=query")
	found, err := filepath.Glob(filepath.Join(s.scratch, "*", "data", "postmaster.pid"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if pid, err = strconv.Atoi(first); err != nil {
		t.Fatal(err)
	}
	return pid
}

// ended waits until a process is no more, of which this one need not be the parent.
func ended(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d still runs", pid)
		}
	}
}

// begin is where a backup's WAL begins.
func (s *story) begin(t *testing.T, id string) string {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), s.Vault, layout.BackupInfo(sealed.Server, id), "", backupinfo.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	info, err := backupinfo.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return info.BeginLSN.String()
}
