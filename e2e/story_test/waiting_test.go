package story_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestTheLastSegmentComesAfterTheMarker: the function answers that it waits,
// and nothing but the one who waits for the verdict wakes it again.
func TestTheLastSegmentComesAfterTheMarker(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		c := startCloud(t, k)
		source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		source.ArchiveAll()
		late := c.Faulty().Add(cloud.Fault{Op: cloud.Create, Bucket: c.VaultName(), Key: "*/wals/*", Action: cloud.Slow, Delay: 5 * time.Second})
		id := sealed(t, c.backupOf(t, source, "--wait"))
		if late() == 0 {
			t.Error("no segment came late")
		}
		has(t, c.function.Logs(), `"verdict":"waiting"`, `"verdict":"sealed"`)
		c.checkSeal(t, id)
		c.audit(t)
	})
}
