package backup_test

import (
	"fmt"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestABackupOnFilesRestores: everything at once that a cluster can have, with
// transactions running.
func TestABackupOnFilesRestores(t *testing.T) {
	for _, major := range []int{13, 15, 17, 18} {
		t.Run(fmt.Sprint("PostgreSQL ", major), func(t *testing.T) {
			p := filePlaces(t)
			c := p.cluster(t, pgtest.Options{
				Install: pgtest.Find(t, major), Checksums: true, Tablespaces: 2, OddTablespace: true,
				ExternalConfig: true, SymlinkPGDATA: true, InPlaceTablespace: major >= 15,
			})
			c.LoadPgbench(3)
			stop := c.RunPgbench(2)
			id := p.mustBackup(t, c, "--lz4", "-J", "3", "-S", "5MB", "-n", "nightly")
			stop()
			rows := c.SQL("SELECT count(*), sum(delta) FROM pgbench_history")
			c.ArchiveAll()
			has(t, content(t, p.vault, layout.BackupInfo(server, id)), "status=DONE", "backup_name=nightly")
			t.Log(p.archives(t, id))

			r := p.restored(t, c, id)
			if got := r.SQL("SELECT count(*), sum(delta) FROM pgbench_history"); got != rows {
				t.Errorf("pgbench_history: %s, want %s", got, rows)
			}
			checkTablespaces(t, c, r)
		})
	}
}
