package chaos_test

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// checkRestore restores the last sealed backup by stock barman, or by tar where there is none for the store, recovers to
// the end of the WAL, and demands everything that was ever committed.
func (s *scene) checkRestore(t *testing.T, id string) {
	t.Helper()
	data := filepath.Join(pgtest.Dir(t), "data")
	if s.Stock != nil {
		args := slices.Concat(s.Stock(s.Store), []string{s.VaultURL(), server, id, data})
		cmd := pgtest.Command(t.Context(), "/usr/bin/barman-cloud-restore", args...)
		cmd.Env = append(cmd.Env, s.Env(cloud.Restore)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("barman-cloud-restore: %v\n%s", err, out)
		}
	} else {
		pgtest.Run(t, "/bin/mkdir", "-m", "700", data)
		dir := server + "/base/" + id + "/"
		var archives []string
		for key := range s.everything(t, s.vault, dir+"data") {
			archives = append(archives, path.Base(key))
		}
		slices.Sort(archives)
		for _, name := range archives {
			cmd := pgtest.Command(t.Context(), "/bin/tar", "-x", "-C", data)
			cmd.Stdin = bytes.NewReader(s.content(t, dir+name))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("tar: %v\n%s", err, out)
			}
		}
	}
	want := s.source.SQL("SELECT count(*), max(n) FROM marks")
	if !strings.HasPrefix(want, fmt.Sprint(s.rows)) {
		t.Errorf("the source has %s of %d rows", want, s.rows)
	}
	recovered := pgtest.StartRestored(t, s.source.Install, data, pgtest.RecoveryOptions{
		RestoreCommand: build.Pgseal(t) + " wal-restore " + s.VaultURL() + " " + server + " %f %p", Env: s.Env(cloud.Restore),
	})
	if got := recovered.SQL("SELECT count(*), max(n) FROM marks"); got != want {
		t.Errorf("recovered %s, want %s", got, want)
	}
	if got, want := recovered.SQL("SELECT count(*) FROM load_1"), s.source.SQL("SELECT count(*) FROM load_1"); got != want {
		t.Errorf("recovered %s rows, want %s", got, want)
	}
	recovered.Stop()
	pgtest.Checksums(t, data)
}
