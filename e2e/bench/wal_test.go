package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkWALArchive archives one full segment of 16 MiB: what a busy
// archiver does every moment, so that starting the program counts.
func BenchmarkWALArchive(b *testing.B) {
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15)})
	c.LoadPgbench(5)
	c.SQL("SELECT pg_switch_wal()")
	segment := filepath.Join(c.DataDir, "pg_wal", c.SQL("SELECT name FROM pg_ls_waldir() ORDER BY name OFFSET 1 LIMIT 1"))
	info, err := os.Stat(segment)
	if err != nil {
		b.Fatal(err)
	}
	contenders := func(name string, flags ...string) []contender {
		server := func(run int) string { return fmt.Sprintf("%s-%d", name, run) }
		return []contender{{
			name: "barman " + name,
			command: func(run int) *exec.Cmd {
				args := append([]string{"--endpoint-url", s.Endpoint}, flags...)
				return program(s.Breakglass, "/usr/bin/barman-cloud-wal-archive", append(args, "s3://"+s.plain, server(run), segment)...)
			},
			stored: func(run int) int64 { return s.size(b, s.plain, server(run)+"/") },
		}, {
			name: "pgseal " + name, against: "barman " + name,
			command: func(run int) *exec.Cmd {
				return program(s.Host, build.Pgseal(b), append(append([]string{"wal-archive"}, flags...), s.VaultURL(), server(run), segment)...)
			},
			stored: func(run int) int64 { return s.size(b, s.Vault, server(run)+"/") },
		}}
	}
	for range b.N {
		race(b, fmt.Sprintf("One WAL segment of %d MiB, medians of %d", info.Size()>>20, runs), info.Size(), func() {},
			append(contenders("none"), contenders("gzip", "--gzip")...))
	}
}

// BenchmarkWALArchiveRow archives segments one after the other, as PostgreSQL's archiver calls its command, into a store that
// takes 50 ms for every request; and four at a time, which is the most that sending ahead could give.
func BenchmarkWALArchiveRow(b *testing.B) {
	const count, latency = 8, 50 * time.Millisecond
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15)})
	c.LoadPgbench(10)
	c.SQL("SELECT pg_switch_wal()")
	names := strings.Fields(c.SQL(fmt.Sprintf("SELECT string_agg(name, ' ') FROM (SELECT name FROM pg_ls_waldir() WHERE length(name) = 24 AND name < pg_walfile_name(pg_current_wal_insert_lsn()) ORDER BY name LIMIT %d) AS first", count)))
	if len(names) != count {
		b.Fatalf("%d segments instead of %d", len(names), count)
	}
	s.Faulty().Add(cloud.Fault{Action: cloud.Slow, Delay: latency})
	row := func(who localaws.Identity, atOnce int, command string) *exec.Cmd {
		script := fmt.Sprintf("cd %s && echo %s | xargs -n 1 -P %d %s", filepath.Join(c.DataDir, "pg_wal"), strings.Join(names, " "), atOnce, command)
		return program(who, "/bin/sh", "-c", script)
	}
	ours := func(name, against string, atOnce int) contender {
		return contender{name: name, against: against, command: func(run int) *exec.Cmd {
			return row(s.Host, atOnce, fmt.Sprintf("%s wal-archive --gzip %s row-%d-%d", build.Pgseal(b), s.VaultURL(), atOnce, run))
		}}
	}
	for range b.N {
		race(b, fmt.Sprintf("%d WAL segments archived in a row, %v for every request, medians of %d", count, latency, runs), count<<24, func() {}, []contender{
			{name: "barman", command: func(run int) *exec.Cmd {
				return row(s.Breakglass, 1, fmt.Sprintf("/usr/bin/barman-cloud-wal-archive --gzip --endpoint-url %s s3://%s row-%d", s.Endpoint, s.plain, run))
			}},
			ours("pgseal", "barman", 1), ours("pgseal four at a time", "pgseal", 4),
		})
	}
}
