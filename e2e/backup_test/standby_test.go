package backup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestAStandby: the primary archives what the backup needs, and goes on
// writing meanwhile.
func TestAStandby(t *testing.T) {
	for _, major := range []int{13, 17} {
		t.Run(fmt.Sprint("PostgreSQL ", major), func(t *testing.T) {
			p := filePlaces(t)
			c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, major), Tablespaces: 1, Checksums: true})
			c.LoadPgbench(2)
			s := c.Standby()
			stop := c.RunPgbench(2)
			run := start(t, p.backupCommand(t, s, "--gzip"))
			run.until("the end of the copy", func() bool { return strings.Contains(run.output(), "backup stopped in PostgreSQL") })
			stop()
			rows := c.SQL("SELECT count(*) FROM pgbench_history")
			c.ArchiveAll()
			o := run.wait()
			if o.code != 0 {
				t.Fatalf("exit code %d\n%s", o.code, o.stderr)
			}
			id := o.id(t)
			has(t, content(t, p.vault, layout.BackupInfo(server, id)), "BACKUP FROM: standby")
			r := p.restored(t, s, id)
			if got := r.SQL("SELECT count(*) FROM pgbench_history"); got != rows {
				t.Errorf("%s rows, want %s", got, rows)
			}
			checkTablespaces(t, s, r)
		})
	}
}

// TestAStandbyOfAnIdlePrimary: nothing is written, and without a switch there the last segment would not be archived.
func TestAStandbyOfAnIdlePrimary(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(1)
	c.ArchiveAll()
	s := c.Standby()
	c.SQL("CREATE TABLE written AS SELECT 1; CHECKPOINT") // in a segment that is not full, and will not be
	s.CatchUp(c)
	o := p.backup(t, s, "--zstd", "--primary-conninfo", c.DSN())
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	has(t, o.stderr, "the primary has ended its WAL segment")
	if wrong := p.backup(t, s, "--primary-conninfo", s.DSN()); wrong.code != 1 || !strings.Contains(wrong.stderr, "standby itself") {
		t.Errorf("exit code %d\n%s", wrong.code, wrong.stderr)
	}
}

// TestAStandbyThatIsPromoted: start and stop are on different timelines.
func TestAStandbyThatIsPromoted(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	c.CreateLoad(20)
	s := c.Standby()
	run := start(t, p.backupCommand(t, s, "--max-bandwidth", "8MB"))
	run.until("the start", func() bool { return strings.Contains(run.output(), "backup started in PostgreSQL") })
	s.Promote()
	o := run.wait()
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	t.Log(o.stderr)
	p.failed(t, o.id(t), "promot")
}
