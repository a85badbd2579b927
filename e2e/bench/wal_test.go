package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
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
