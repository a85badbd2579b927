package story_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestCalledByBarmansNames: links in the place of the two commands, and the
// command lines that their users have.
func TestCalledByBarmansNames(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		c := startCloud(t, k)
		bin := pgtest.Dir(t)
		for _, name := range []string{"barman-cloud-backup", "barman-cloud-wal-archive"} {
			if err := os.Symlink(build.Pgseal(t), filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
		source := pgtest.New(t, pgtest.Options{
			Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1, Env: c.env,
			ArchiveCommand: bin + "/barman-cloud-wal-archive --gzip " + c.vaultURL + "/ " + server + " %p",
		})
		source.LoadPgbench(1)
		libpq := []string{"PGHOST=" + source.SocketDir, "PGPORT=" + strconv.Itoa(source.Port), "PGUSER=postgres"}
		name := "test-" + time.Now().UTC().Format("20060102T150405")
		id := sealed(t, program(append(append(libpq, "PGSEAL_STAGING_URL="+c.stagingURL), c.env...), bin+"/barman-cloud-backup",
			"--cloud-provider="+k.Provider, "--gzip", "-J", "4", "-S", "5GB", "--immediate-checkpoint", "-n", name, c.vaultURL+"/", server))
		c.checkSeal(t, id, "backup_name="+name+"\n")
		want := counts(source, source)
		source.ArchiveAll()
		checkRecovery(t, source, c.restore(t, source, id), c.recovery(t), want)
		c.audit(t)
	})
}
