package restore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// pgseal beside stock barman: the same where PostgreSQL takes it the same way, and where it differs, why.
func TestExitCodesBesideStockBarmans(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		if k.Stock == nil {
			return
		}
		s := sealed.Start(t, k)
		source := s.Cluster(t, pgtest.Options{})
		name := source.SQL("SELECT pg_walfile_name(pg_current_wal_lsn())")
		content, err := os.ReadFile(filepath.Join(source.DataDir, "pg_wal", name))
		if err != nil {
			t.Fatal(err)
		}
		source.ArchiveAll()
		other := bytes.Clone(content)
		other[len(other)-1] ^= 1
		put := func(key string, body []byte) {
			t.Helper()
			if _, err := s.Vault.Create(t.Context(), key, bytes.NewReader(body), bucket.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		const shadowed, short = "0000000100000000000000F0", "0000000100000000000000F1"
		put(layout.WAL(server, name+".partial", ""), other)
		put(layout.WAL(server, shadowed+".partial", ""), other)
		put(layout.WAL(server, short, ""), content[:8192])

		dir := pgtest.Dir(t)
		ours := func(url, name string, flags ...string) (sealed.Outcome, string) {
			to := filepath.Join(dir, "ours")
			_ = os.Remove(to)
			args := append(append([]string{"wal-restore", "--retry-timeout", "0s"}, flags...), url, server, name, to)
			return sealed.Run(t, s.Command(cloud.Restore, build.Pgseal(t), args...)), to
		}
		theirs := func(url, name string) (sealed.Outcome, string) {
			to := filepath.Join(dir, "theirs")
			_ = os.Remove(to)
			return sealed.Run(t, s.Command(cloud.Restore, "/usr/bin/barman-cloud-wal-restore", append(k.Stock(s.Store), url, server, name, to)...)), to
		}
		for what, tc := range map[string]struct {
			name         string
			stock, codes int
		}{
			"a segment":                 {name, 0, 0},
			"one that is not there":     {"0000000100000000000000FF", 1, 1},
			"a history file, not there": {"00000009.history", 1, 1},
			"no name of WAL":            {"RECOVERYXLOG", 3, 3},
			"a segment cut short":       {short, 0, 255}, // PostgreSQL would say that it is of the wrong size, and stop
		} {
			a, aTo := ours(s.VaultURL(), tc.name)
			b, bTo := theirs(s.VaultURL(), tc.name)
			if a.Code != tc.codes || b.Code != tc.stock {
				t.Errorf("%s: pgseal %d, want %d; barman %d, want %d\n%s%s", what, a.Code, tc.codes, b.Code, tc.stock, a.Output, b.Output)
			}
			got, _ := os.ReadFile(aTo)
			want, _ := os.ReadFile(bTo)
			if tc.codes == 0 && !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes and %d", what, len(got), len(want))
			}
			if _, err := os.Stat(aTo); tc.codes != 0 && !os.IsNotExist(err) {
				t.Errorf("%s: a file is there", what)
			}
		}
		// A .partial alone, and without leave to take it.
		a, to := ours(s.VaultURL(), shadowed)
		a.Want(t, 255, "its first page is of address") // it is another segment's content
		a, _ = ours(s.VaultURL(), shadowed, "--no-partial")
		a.Want(t, 1)
		if _, err := os.Stat(to); !os.IsNotExist(err) {
			t.Errorf("a file is there: %v", err)
		}
		// A store that does not answer, refuses, or is not there ends no recovery.
		happened := s.Faulty().Add(cloud.Fault{Identity: cloud.Restore, Action: cloud.Internal})
		a, _ = ours(s.VaultURL(), "0000000100000000000000FF")
		a.Want(t, 255)
		if happened() == 0 {
			t.Error("no fault happened")
		}
		s.Faulty().Clear()
		restore, err := s.Deny(cloud.Restore, cloud.ToList, s.VaultName(), "*")
		if err != nil {
			t.Fatal(err)
		}
		a, _ = ours(s.VaultURL(), "0000000100000000000000FF")
		a.Want(t, 255)
		restore()
		a, _ = ours(strings.Replace(s.VaultURL(), s.VaultName(), "missing-one", 1), "0000000100000000000000FF")
		a.Want(t, 255)
		a, _ = ours(s.VaultURL(), name, "--nonsense")
		a.Want(t, 255, "unrecognized arguments")

		// On a standby PostgreSQL goes on asking.
		standby := pgtest.Dir(t)
		if err := os.WriteFile(filepath.Join(standby, "standby.signal"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		s.Faulty().Add(cloud.Fault{Identity: cloud.Restore, Action: cloud.Internal})
		cmd := s.Command(cloud.Restore, build.Pgseal(t), "wal-restore", "--retry-timeout", "0s", s.VaultURL(), server, name, "pg_wal/RECOVERYXLOG")
		cmd.Dir = standby
		sealed.Run(t, cmd).Want(t, 1, "ERROR")
	})
}

// A store that fails in the middle of a recovery: PostgreSQL stops, and comes to the end of the WAL when it is there
// again. Had it been told that the segment is not there, it would be in production without the rest.
func TestAStoreThatFailsEndsNoRecovery(t *testing.T) {
	t.Parallel()
	s := sealed.Start(t, clouds.AWS)
	source := s.Cluster(t, pgtest.Options{WALSegmentSizeMB: 1})
	source.SQL("CREATE TABLE story (step int)")
	id := s.Backup(t, source)
	source.SQL("INSERT INTO story VALUES (1)")
	for range 3 {
		source.SQL("INSERT INTO story VALUES (2)")
		source.ArchiveAll()
	}
	r := place(t, s, source)
	sealed.Run(t, r.restore(t, id)).Want(t, 0)
	auto := filepath.Join(r.data, "postgresql.auto.conf")
	conf, err := os.ReadFile(auto)
	if err != nil {
		t.Fatal(err)
	}
	conf = bytes.Replace(conf, []byte(" wal-restore "), []byte(" wal-restore --retry-timeout 1s "), 1)
	if err := os.WriteFile(auto, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Faulty().Add(cloud.Fault{Op: cloud.List, Identity: cloud.Restore, Action: cloud.Internal, After: 6})
	log := pgtest.RefusesToStart(t, source.Install, r.data, pgtest.RecoveryOptions{
		Prepared: true, Env: s.Env(cloud.Restore), Settings: map[string]string{"hot_standby": "off"}, // or it answers in recovery
	})
	if !strings.Contains(log, "exit code 255") && !strings.Contains(log, "from archive: child process exited") || strings.Contains(log, "archive recovery complete") {
		t.Errorf("%s", log)
	}
	s.Faulty().Clear()
	// Recovery has changed the files since; what was restored is proved above.
	if err := os.Remove(filepath.Join(r.data, "backup_manifest")); err != nil {
		t.Fatal(err)
	}
	c := r.recovered(t, source, pgtest.RecoveryOptions{})
	if got := c.SQL("SELECT count(*) FROM story"); got != "4" {
		t.Errorf("%s rows, want 4", got)
	}
}

// Segments that were fetched ahead are read once, and a recovery through them ends where the archive does.
func TestARecoveryThatFetchesAhead(t *testing.T) {
	t.Parallel()
	s := sealed.Start(t, clouds.AWS)
	source := s.Cluster(t, pgtest.Options{WALSegmentSizeMB: 1})
	source.SQL("CREATE TABLE story (step int)")
	id := s.Backup(t, source)
	source.CreateLoad(24)
	source.SQL("INSERT INTO story VALUES (1)")
	source.ArchiveAll()
	r := place(t, s, source)
	spool := pgtest.Dir(t)
	sealed.Run(t, s.Command(cloud.Restore, "/bin/chmod", "700", spool)).Want(t, 0)
	sealed.Run(t, r.restore(t, id, "--no-sync", "--spool-directory", spool)).Want(t, 0)
	s.ForgetRequests()
	c := r.recovered(t, source, pgtest.RecoveryOptions{})
	if got := c.SQL("SELECT count(*) FROM story"); got != "1" {
		t.Errorf("%s rows", got)
	}
	read, lists := map[string]int{}, 0
	for _, req := range s.Requests(cloud.By(cloud.Restore)) {
		switch req.Op {
		case cloud.Read:
			read[req.Key]++
		case cloud.List:
			lists++
		}
	}
	if len(read) < 20 || lists >= len(read) { // one listing for each, without
		t.Errorf("%d segments were read with %d listings", len(read), lists)
	}
	for key, n := range read {
		if n > 2 { // once for each of PostgreSQL's own first looks
			t.Errorf("%s was read %d times", key, n)
		}
	}
}
