package story_test

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestEveryCompression restores each with stock barman, but for lz4, which
// barman 3.4 does not know. The names of the flags are barman's.
func TestEveryCompression(t *testing.T) {
	t.Parallel()
	c := startCloud(t, clouds.AWS)
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1})
	source.LoadPgbench(2)
	for _, compression := range []string{"none", "bzip2", "snappy", "lz4"} {
		t.Run(compression, func(t *testing.T) {
			flags := []string{"--wait", "-J", "2", "-S", "8MB"}
			if compression != "none" {
				flags = append(flags, "--"+compression)
			}
			stop := source.RunPgbench(2)
			id := sealed(t, c.backupOf(t, source, flags...))
			stop()
			want := counts(source, source)
			source.ArchiveAll()
			c.checkSeal(t, id)
			restore := c.restore
			if compression == "lz4" {
				restore = c.untar
			}
			checkRecovery(t, source, restore(t, source, id), c.fetched(t), want)
		})
	}
	c.audit(t)
}
