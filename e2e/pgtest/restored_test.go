package pgtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestRoundTrip takes a backup by plain copying under traffic, and restores it with the archived WAL: what every
// end-to-end test does with pgseal in the middle.
func TestRoundTrip(t *testing.T) {
	for _, major := range majors {
		install := pgtest.Find(t, major)
		t.Run(fmt.Sprintf("PostgreSQL %d comes back from a plain copy and its archive", major), func(t *testing.T) {
			t.Parallel()
			archive := pgtest.Dir(t)
			c := pgtest.New(t, pgtest.Options{
				Install: install, Checksums: true, Tablespaces: 1, OddTablespace: true,
				ArchiveCommand: "cp %p " + archive + "/%f",
			})
			c.LoadPgbench(1)
			stop := c.RunPgbench(2)
			dir := filepath.Join(pgtest.Dir(t), "restored")
			c.BaseCopy(dir)
			stop()
			c.SQL("SELECT pg_create_restore_point('here')")
			want := c.SQL("SELECT count(*) FROM pgbench_history")
			c.SQL("DELETE FROM pgbench_history")
			c.ArchiveAll()
			c.Stop()

			o := pgtest.RecoveryOptions{RestoreCommand: "cp " + archive + "/%f %p", TargetName: "here"}
			// The links of the copy are right already: this makes them again.
			o.Tablespaces = map[string]string{}
			for _, ts := range c.Tablespaces {
				o.Tablespaces[ts.OID] = dir + "." + ts.OID
			}
			r := pgtest.StartRestored(t, install, dir, o)
			if got := r.SQL("SELECT count(*) FROM pgbench_history"); got != want {
				t.Errorf("%s rows of history instead of %s", got, want)
			}
			for _, ts := range c.Tablespaces {
				if got := r.SQL("SELECT count(*) FROM " + ts.Table); got != fmt.Sprint(pgtest.RowsPerTablespace) {
					t.Errorf("tablespace %q came back with %s rows", ts.Name, got)
				}
			}
			if got := r.SQL("SHOW archive_mode"); got != "off" {
				t.Errorf("archive_mode of the restored server is %s", got)
			}
			r.Stop()
			if install.Has("pg_checksums") {
				pgtest.Checksums(t, dir)
			}
		})
	}
}

func TestRefusesToStart(t *testing.T) {
	install := pgtest.Find(t, 15)
	c := pgtest.New(t, pgtest.Options{Install: install})
	dir := filepath.Join(pgtest.Dir(t), "restored")
	c.BaseCopy(dir)
	if err := os.Remove(filepath.Join(dir, "global/pg_control")); err != nil {
		t.Fatal(err)
	}
	log := pgtest.RefusesToStart(t, install, dir, pgtest.RecoveryOptions{RestoreCommand: "false"})
	if !strings.Contains(log, "could not find the database system") {
		t.Errorf("the log says:\n%s", log)
	}
}
