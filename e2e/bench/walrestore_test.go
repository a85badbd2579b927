package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkWALRestore brings back a row of segments, one after the other as a recovery does, from a store that takes 50 ms
// for every request.
func BenchmarkWALRestore(b *testing.B) {
	const count, latency = 24, 50 * time.Millisecond
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), Env: s.Host.Env(),
		ArchiveCommand: fmt.Sprintf("%s wal-archive --gzip %s main %%p", build.Pgseal(b), s.VaultURL())})
	first := c.SQL("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
	c.LoadPgbench(scale(b))
	last := c.ArchiveAll()
	names := strings.Fields(strings.ReplaceAll(c.SQL("SELECT name FROM pg_ls_waldir() WHERE name > '"+first+"' AND name <= '"+last+"' AND length(name) = 24 ORDER BY name"), "\n", " "))
	if len(names) > count {
		names = names[:count]
	}
	dir := pgtest.Dir(b)
	spool := filepath.Join(dir, "spool")
	row := func(who localaws.Identity, command string) *exec.Cmd {
		script := fmt.Sprintf("mkdir -p -m 700 %s; for f in %s; do %s $f %s || exit 1; done", spool, strings.Join(names, " "), command, filepath.Join(dir, "RECOVERYXLOG"))
		return program(who, "/bin/sh", "-c", script)
	}
	ours := build.Pgseal(b) + " wal-restore -q "
	at := " " + s.VaultURL() + " main"
	s.Faulty().Add(cloud.Fault{Identity: cloud.Restore, Action: cloud.Slow, Delay: latency})
	title := fmt.Sprintf("%d WAL segments in a row, %v for every request, medians of %d, %d processors", len(names), latency, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, int64(len(names))<<24, func() {}, []contender{
			{name: "barman", command: func(int) *exec.Cmd {
				return row(s.Restore, "/usr/bin/barman-cloud-wal-restore --endpoint-url "+s.Endpoint+at)
			}},
			{name: "pgseal", against: "barman", command: func(int) *exec.Cmd { return row(s.Restore, ours+at) }},
			{name: "pgseal fetching ahead", against: "pgseal", command: func(int) *exec.Cmd { return row(s.Restore, ours+"--spool-directory "+spool+at) }},
		})
	}
}
