package backup_test

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// marked waits for the marker of the only backup, and returns the backup's id.
func (p places) marked(t testing.TB, s *started) (id string) {
	t.Helper()
	s.until("the marker", func() bool {
		for _, key := range keys(t, p.staging, layout.MarkerPrefix) {
			var err error
			if _, id, err = layout.ParseMarker(key); err != nil {
				t.Fatal(err)
			}
		}
		return id != ""
	})
	return id
}

// TestWaitingForTheVerdict: each answer has its exit code, and none has one
// too.
func TestWaitingForTheVerdict(t *testing.T) {
	t.Parallel() // most of the time idle
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	for _, tc := range []struct {
		name  string
		state finalizer.State // "": no verdict
		code  int
		says  []string
	}{
		{"sealed", finalizer.Sealed, 0, []string{"is sealed"}},
		{"still waiting", finalizer.Waiting, 10, []string{"is not sealed: waiting: because", "pgseal status"}},
		{"rejected", finalizer.Rejected, 11, []string{"is not sealed: rejected: because"}},
		{"conflict", finalizer.Conflict, 12, []string{"is not sealed: conflict: because"}},
		{"no answer", "", 13, []string{"the finalizer has not answered within 2s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := filePlaces(t)
			p.env = []string{"PGSEAL_WAL_CHECK=off"}
			// The directory, so that pgseal may look into it from the beginning.
			if _, err := p.staging.Put(t.Context(), layout.Verdict(server, "another"), nil); err != nil {
				t.Fatal(err)
			}
			pgtest.Own(t, p.stagingURL[len("file://"):])
			timeout := map[finalizer.State]string{"": "2s", finalizer.Waiting: "10s"}[tc.state]
			s := start(t, p.backupCommand(t, c, "--finalizer", "cloud", "--wait", "--wait-timeout", cmp.Or(timeout, "1h")))
			if id := p.marked(t, s); tc.state != "" {
				p.judge(t, id, tc.state)
			}
			o := s.wait()
			if o.code != tc.code {
				t.Errorf("exit code %d, want %d", o.code, tc.code)
			}
			has(t, o.stderr, tc.says...)
		})
	}
}

// judge is a finalizer that says what it is told to.
func (p places) judge(t testing.TB, id string, state finalizer.State) {
	t.Helper()
	body, err := json.Marshal(finalizer.Verdict{Format: 1, Server: server, BackupID: id, State: state,
		Reasons: []finalizer.Reason{{Code: "test", Text: "because"}}})
	if err != nil {
		t.Fatal(err)
	}
	// Not at once under its name: pgseal could look before the file is its own.
	key := layout.Verdict(server, id)
	if _, err := p.staging.Put(t.Context(), key+".new", body); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.stagingURL[len("file://"):], key)
	pgtest.Own(t, p.stagingURL[len("file://"):])
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// TestCalledByBarmansName: it waits, and exit code 0 means sealed.
func TestCalledByBarmansName(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		link := filepath.Join(pgtest.Dir(t), "barman-cloud-backup")
		if err := os.Symlink(build.Pgseal(t), link); err != nil {
			t.Fatal(err)
		}
		cmd := pgtest.Command(t.Context(), link, "--staging-url", p.stagingURL, "-d", c.DSN(), "--immediate", p.vaultURL, server)
		cmd.Env = append(cmd.Env, p.env...)
		s := start(t, cmd)
		id := p.marked(t, s)
		c.ArchiveAll()
		if v := finalize(t, store, id); v.State != finalizer.Sealed {
			t.Fatalf("%+v", v)
		}
		if o := s.wait(); o.code != 0 {
			t.Errorf("exit code %d\n%s", o.code, o.stderr)
		}
	})
}

// TestSealingHereWaitsForTheWAL: as long as --wal-timeout says, and what was
// not sealed then is complete all the same.
func TestSealingHereWaitsForTheWAL(t *testing.T) {
	p := filePlaces(t)
	flag := filepath.Join(pgtest.Dir(t), "archive")
	switchOn := func() {
		if err := os.WriteFile(flag, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	switchOn()
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), ArchiveCommand: "test -e " + flag + " && " + p.archiveCommand(t)})
	c.ArchiveAll()
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	o := p.backup(t, c, "--wal-timeout", "2s")
	if o.code != 10 {
		t.Errorf("exit code %d\n%s", o.code, o.stderr)
	}
	has(t, o.stderr, "is not sealed: waiting", "is not archived yet")
	id := o.id(t)
	has(t, content(t, p.staging, layout.BackupInfo(server, id)), "status=DONE")

	switchOn()
	c.SQL("SELECT pg_reload_conf()") // wakes the archiver, which had paused
	c.ArchiveAll()
	p.mustBackup(t, c)
}

// TestTwoBackupsInOneSecond have different ids, and neither touches the
// other's record; nor does a backup take an id that the vault knows.
func TestTwoBackupsInOneSecond(t *testing.T) {
	p := filePlaces(t)
	p.env = []string{"PGSEAL_WAL_CHECK=off", "TZ=America/New_York"}
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(zone)
	for n := range 30 { // in turns: claimed in staging, present in the vault
		id := layout.BackupID(now.Add(time.Duration(n) * time.Second))
		place, key := p.staging, layout.BackupInfo(server, id)
		if n%2 == 1 {
			place, key = p.vault, layout.BackupDir(server, id)+"data.tar"
		}
		if _, err := place.Put(t.Context(), key, []byte("# taken\n")); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Own(t, p.vaultURL[len("file://"):])
	pgtest.Own(t, p.stagingURL[len("file://"):])
	var all []*started
	for range 3 {
		all = append(all, start(t, p.backupCommand(t, c)))
	}
	ids := map[string]bool{}
	for _, s := range all {
		o := s.wait()
		if o.code != 0 {
			t.Fatalf("exit code %d\n%s", o.code, o.stderr)
		}
		id := o.id(t)
		if ids[id] || id < layout.BackupID(now.Add(30*time.Second)) {
			t.Errorf("id %s", id)
		}
		ids[id] = true
	}
	if got := content(t, p.staging, layout.BackupInfo(server, layout.BackupID(now))); got != "# taken\n" {
		t.Error(got)
	}
}
