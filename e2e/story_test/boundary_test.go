package story_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

var endLSN = regexp.MustCompile(`(?m)^end_xlog=(\S+)$`)

// TestAStopOnASegmentBoundary: the segment that barman calls the last one of
// the backup does not exist, and on a server without traffic never will. What
// the finalizer makes of such a set is in seal_test, for every cloud.
func TestAStopOnASegmentBoundary(t *testing.T) {
	t.Parallel()
	c := startCloud(t, clouds.AWS)
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1, WALSegmentSizeMB: 1,
		Settings: map[string]string{"autovacuum": "off"}})
	source.LoadPgbench(1)
	source.ArchiveAll()
	for range 5 { // the background writer may come in between
		happened := c.Faulty().Add(cloud.Fault{Op: cloud.Create, Bucket: c.VaultName(), Key: "*/base/*", Identity: cloud.Host,
			Action: cloud.Slow, Delay: 3 * time.Second, Times: 1})
		wait := start(t, c.backupOf(t, source, "--wait"))
		until(t, "the end of the copying", func() bool { return happened() > 0 })
		source.FillSegment(pgtest.BackupEndRecord)
		o := wait().want(t, 0, " is sealed: ")
		id := idIn(t, o)
		c.checkSeal(t, id)
		end := endLSN.FindStringSubmatch(content(t, c.reader, layout.BackupInfo(server, id)))[1]
		if !strings.HasSuffix(end, "00000") {
			t.Logf("stopped at %s", end)
			continue
		}
		want := counts(source, source)
		source.Stop() // archives what there is
		checkRecovery(t, source, c.restore(t, source, id), c.fetched(t), want)
		c.audit(t)
		return
	}
	t.Error("no backup of five stopped on a boundary")
}
