package story_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestCorruptPagesAreCopiedAndTold: a disk has changed a table behind the server's back. The backup is sealed, since it
// may be the best there will ever be, and whoever looks is told.
func TestCorruptPagesAreCopiedAndTold(t *testing.T) {
	t.Parallel()
	c := startCloud(t, clouds.AWS)
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true})
	source.LoadPgbench(1)
	source.SQL("CHECKPOINT")
	table := source.SQL("SELECT pg_relation_filepath('pgbench_accounts')")
	f, err := os.OpenFile(filepath.Join(source.DataDir, table), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []int64{3, 7} {
		if _, err := f.WriteAt([]byte("not what was here"), page*8192+4000); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, c.backupOf(t, source, "--wait")).want(t, 0, " is sealed", "pages fail their checksums", "pages=2", table)
	status := program(c.Env(cloud.Restore), build.Pgseal(t), "status", "--staging-url", c.stagingURL, c.vaultURL, server)
	run(t, status).want(t, 0, "1 finding", "2 pages failed PostgreSQL's checksums")
}
