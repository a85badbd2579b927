package bench

import (
	"fmt"
	"os/exec"
	"runtime"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkBackup backs up a cluster that rests. Neither side waits for a seal
// or for WAL: it is the time until everything is in the store.
func BenchmarkBackup(b *testing.B) {
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	size := readAll(b, c.DataDir)
	warm := func() { readAll(b, c.DataDir) }

	ours := func(name string, flags ...string) contender {
		server := func(run int) string { return fmt.Sprintf("%s-%d", name, run) }
		return contender{
			name: "pgseal " + name,
			command: func(run int) *exec.Cmd {
				args := append([]string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL()}, flags...)
				return program(s.Host, build.Pgseal(b), append(args, s.VaultURL(), server(run))...)
			},
			stored: func(run int) int64 { return s.size(b, s.Vault, server(run)+"/base/") },
			clean:  func(run int) { s.remove(b, s.Vault, server(run)+"/") },
		}
	}
	stock := func(name string, flags ...string) contender {
		server := func(run int) string { return fmt.Sprintf("%s-%d", name, run) }
		return contender{
			name: "barman " + name,
			command: func(run int) *exec.Cmd {
				args := append([]string{"--endpoint-url", s.Endpoint, "-d", c.DSN(), "--immediate-checkpoint"}, flags...)
				cmd := program(s.Breakglass, "/usr/bin/barman-cloud-backup", append(args, "s3://"+s.plain, server(run))...)
				cmd.Env = append(cmd.Env, pgtest.SnappyEnv(b))
				return cmd
			},
			stored: func(run int) int64 { return s.size(b, s.plain, server(run)+"/base/") },
			clean:  func(run int) { s.remove(b, s.plain, server(run)+"/") },
		}
	}
	against := func(c contender, other string) contender {
		c.against = other
		return c
	}
	title := fmt.Sprintf("Base backup of %.0f MB, -J 2, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, warm, []contender{
			stock("none"), against(ours("none"), "barman none"),
			against(ours("lz4", "--lz4"), "barman none"),
			stock("snappy", "--snappy"), against(ours("snappy", "--snappy"), "barman snappy"),
			stock("gzip", "--gzip"), against(ours("gzip", "--gzip"), "barman gzip"),
		})
	}
}
