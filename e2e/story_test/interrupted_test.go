package story_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestAnInterruptedRestoreDoesNotStart: the last archive holds pg_control, so a
// stock restore that ends before it leaves nothing that a server would take for
// a cluster.
func TestAnInterruptedRestoreDoesNotStart(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	id := sealed(t, c.backupOf(t, source, "--wait", "-S", "8MB"))
	source.ArchiveAll()
	parts := c.archives(t, id, layout.Data)
	if len(parts) < 3 {
		t.Fatalf("parts: %q", parts)
	}
	reached := c.Faults.Add(localaws.Fault{Operation: "GetObject", Identity: c.Restore.Name, Key: c.key(parts[len(parts)-1]),
		Action: localaws.Slow, Delay: time.Hour})
	cmd, r := c.stockRestoreCommand(t, source, id)
	wait := start(t, cmd)
	until(t, "the restore to ask for the last archive", func() bool { return reached() > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	c.Faults.Clear()
	log := pgtest.RefusesToStart(t, source.Install, r.data, c.byStock(t))
	if !strings.Contains(log, "could not find the database system") {
		t.Errorf("it refuses for another reason:\n%s", log)
	}
	c.audit(t)
}
