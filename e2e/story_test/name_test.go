package story_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestCalledByBarmansNames: links in the place of the two commands, and the
// command lines that their users have.
func TestCalledByBarmansNames(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
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
		"--cloud-provider=aws-s3", "--gzip", "-J", "4", "-S", "5GB", "--immediate-checkpoint", "-n", name, c.vaultURL+"/", server))
	c.checkSeal(t, id, "backup_name="+name+"\n")
	want := counts(source, source)
	source.ArchiveAll()
	checkRecovery(t, source, c.stockRestore(t, source, id), c.byStock(t), want)
	c.audit(t)
}

// TestTheSeedsCommandLine is the line of a user of barman with one word
// changed. It does not wait; the function seals all the same.
func TestTheSeedsCommandLine(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1})
	source.LoadPgbench(1)
	env := append([]string{"PGHOST=" + source.SocketDir, fmt.Sprint("PGPORT=", source.Port), "PGUSER=postgres",
		"PGSEAL_STAGING_URL=" + c.stagingURL, "PATH=" + filepath.Dir(build.Pgseal(t)) + ":/usr/bin:/bin"}, c.env...)
	line := "pgseal backup --cloud-provider=aws-s3 --lz4 -J 4 -S 5GB --immediate-checkpoint -n test-$(date -u +%Y%m%dT%H%M%S) " +
		c.vaultURL + "/ " + server
	o := run(t, program(env, "/bin/sh", "-c", line)).want(t, 0, "is complete, and not sealed yet")
	want := counts(source, source)
	source.ArchiveAll()
	id := idIn(t, o)
	// The function has been woken, perhaps before the last WAL was there: then an operator, or the sweep, has it look again.
	if err := c.queue.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, program(append(c.Finalizer.Env(), "PGSEAL_MIN_RETENTION=6d"), build.Pgseal(t), "finalize", "--staging-url", c.stagingURL, c.vaultURL, server, id)).want(t, 0, "sealed")
	c.checkSeal(t, id, "backup_name=test-20")
	checkRecovery(t, source, c.untar(t, source, id), c.fetched(t), want)
	c.audit(t)
}
