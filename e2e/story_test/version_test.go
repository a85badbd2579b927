package story_test

import (
	"fmt"
	"testing"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestOtherVersions(t *testing.T) {
	for _, major := range []int{13, 17, 18} {
		t.Run(fmt.Sprint("PostgreSQL ", major), func(t *testing.T) {
			t.Parallel()
			c := startCloud(t, clouds.AWS)
			source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, major), Tablespaces: 1, OddTablespace: true})
			source.LoadPgbench(2)
			stop := source.RunPgbench(2)
			id := sealed(t, c.backupOf(t, source, "--wait", "-S", "8MB", "--lz4"))
			stop()
			want := counts(source, source)
			source.ArchiveAll()
			source.Stop()
			c.checkSeal(t, id)
			checkRecovery(t, source, c.untar(t, source, id), c.fetched(t), want)
			c.audit(t)
		})
	}
}

// TestFromAStandby: the standby archives nothing, and the segment with the
// backup's end comes from the primary when its traffic fills it.
func TestFromAStandby(t *testing.T) {
	t.Parallel()
	c := startCloud(t, clouds.AWS)
	primary := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1, WALSegmentSizeMB: 1})
	primary.LoadPgbench(2)
	standby := primary.Standby()
	stop := primary.RunPgbench(2)
	id := sealed(t, c.backupOf(t, standby, "--wait", "-S", "8MB", "--gzip"))
	stop()
	want := counts(primary, primary)
	primary.ArchiveAll()
	standby.Stop()
	primary.Stop()
	c.checkSeal(t, id)
	checkRecovery(t, standby, c.restore(t, standby, id), c.fetched(t), want)
	c.audit(t)
}
