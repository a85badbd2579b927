package story_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestAnInterruptedRestoreDoesNotStart: the last archive holds pg_control, so a
// stock restore that ends before it leaves nothing that a server would take for
// a cluster.
func TestAnInterruptedRestoreDoesNotStart(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		c := startCloud(t, k)
		source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		id := sealed(t, c.backupOf(t, source, "--wait", "-S", "8MB"))
		source.ArchiveAll()
		parts := c.archives(t, id, layout.Data)
		if len(parts) < 3 {
			t.Fatalf("parts: %q", parts)
		}
		r := c.interruptedRestore(t, source, id, parts[len(parts)-1])
		log := pgtest.RefusesToStart(t, source.Install, r.data, c.recovery(t))
		if !strings.Contains(log, "could not find the database system") {
			t.Errorf("it refuses for another reason:\n%s", log)
		}
		c.audit(t)
	})
}

// interruptedRestore restores until the last archive is asked for.
func (c *scene) interruptedRestore(t testing.TB, source *pgtest.Cluster, id, last string) restored {
	t.Helper()
	if c.Stock == nil {
		r := restored{data: filepath.Join(pgtest.Dir(t), "data")}
		c.untarBase(t, id, layout.Data, r.data, last)
		return r
	}
	reached := c.Faulty().Add(cloud.Fault{Op: cloud.Read, Identity: cloud.Restore, Key: c.key(last), Action: cloud.Slow, Delay: time.Hour})
	cmd, r := c.stockRestoreCommand(t, source, id)
	wait := start(t, cmd)
	until(t, "the restore to ask for the last archive", func() bool { return reached() > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	c.Faulty().Clear()
	return r
}
