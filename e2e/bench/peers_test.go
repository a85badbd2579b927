package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkTar holds a backup against the least that it could be: GNU tar of the data directory, through a compressor, into
// a multipart upload by the SDK's own uploader, one process of each. Nothing is checked there, locked, verified or listed.
func BenchmarkTar(b *testing.B) {
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	size := readAll(b, c.DataDir)
	put := build.S3Put(b)
	var all []contender
	for _, codec := range []struct{ name, filter string }{{"none", "cat"}, {"lz4", "lz4 -1"}, {"gzip", "gzip -6"}} {
		key := func(run int) string { return fmt.Sprintf("tar-%s-%d", codec.name, run) }
		all = append(all, contender{
			name: "tar " + codec.name,
			command: func(run int) *exec.Cmd {
				line := fmt.Sprintf(`tar --exclude=./pg_wal/* -c -C "$0" . | %s | "$1" "$2" "$3"`, codec.filter)
				return program(s.Breakglass, "/bin/bash", "-o", "pipefail", "-c", line, c.DataDir, put, s.plain, key(run))
			},
			stored: func(run int) int64 { return s.size(b, s.plain, key(run)) },
			clean:  func(run int) { s.remove(b, s.plain, key(run)) },
		}, s.backupOf(b, c, codec.name, "tar "+codec.name))
	}
	title := fmt.Sprintf("Base backup of %.0f MB beside tar, -J 2, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, func() { readAll(b, c.DataDir) }, all)
	}
}

// backupOf is a backup into the vault with one compression.
func (s stores) backupOf(b *testing.B, c *pgtest.Cluster, compression, against string, flags ...string) contender {
	server := func(run int) string { return fmt.Sprintf("%s-%d", compression, run) }
	return contender{
		name: "pgseal " + compression, against: against,
		command: func(run int) *exec.Cmd {
			args := append([]string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL()}, flags...)
			if compression != "none" {
				args = append(args, "--"+compression)
			}
			return program(s.Host, build.Pgseal(b), append(args, s.VaultURL(), server(run))...)
		},
		stored: func(run int) int64 { return s.size(b, s.Vault, server(run)+"/base/") },
		clean:  func(run int) { s.remove(b, s.Vault, server(run)+"/") },
	}
}

// BenchmarkPgBackRest is a full backup by pgBackRest, with as many processes as pgseal has jobs, into the same S3 server.
// pgBackRest speaks to S3 over TLS only, and so does pgseal here.
func BenchmarkPgBackRest(b *testing.B) {
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	size := readAll(b, c.DataDir)
	front := s.behindTLS(b)
	lock := filepath.Join(pgtest.Dir(b), "lock")
	var all []contender
	for _, codec := range []struct{ name, theirs string }{{"none", "none"}, {"lz4", "lz4"}, {"gzip", "gz"}, {"zstd", "zst"}} {
		repository := func(run int) string { return fmt.Sprintf("pgbackrest-%s-%d", codec.name, run) }
		ours := s.backupOf(b, c, codec.name, "pgBackRest "+codec.name)
		over := ours.command
		ours.command = func(run int) *exec.Cmd { return front.use(over(run)) }
		all = append(all, contender{
			name: "pgBackRest " + codec.name,
			command: func(run int) *exec.Cmd {
				flags := slices.Concat(front.pgBackRest(s.plain, repository(run)), []string{
					"--stanza=main", "--pg1-path=" + c.DataDir, "--pg1-socket-path=" + c.SocketDir, fmt.Sprint("--pg1-port=", c.Port), "--pg1-user=postgres",
					"--log-level-file=off", "--log-level-console=warn", "--lock-path=" + lock,
				})
				stanza := program(s.Breakglass, "pgbackrest", append(flags, "stanza-create")...)
				stanza.Env = append(stanza.Env, front.keys(s.Breakglass)...)
				if out, err := stanza.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				backup := program(s.Breakglass, "pgbackrest", append(flags, "--type=full", "--process-max=2", "--start-fast", "--no-archive-check",
					"--compress-type="+codec.theirs, "backup")...)
				backup.Env = append(backup.Env, front.keys(s.Breakglass)...)
				return backup
			},
			stored: func(run int) int64 { return s.size(b, s.plain, repository(run)+"/") }, // and it stays: a thousand objects
		}, ours)
	}
	title := fmt.Sprintf("Base backup of %.0f MB beside pgBackRest, 2 processes, S3 over TLS, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, func() { readAll(b, c.DataDir) }, all)
	}
}
