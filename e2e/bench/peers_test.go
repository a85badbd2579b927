package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
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
func (s stores) backupOf(b *testing.B, c *pgtest.Cluster, compression, against string) contender {
	server := func(run int) string { return fmt.Sprintf("%s-%d", compression, run) }
	return contender{
		name: "pgseal " + compression, against: against,
		command: func(run int) *exec.Cmd {
			args := []string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL()}
			if compression != "none" {
				args = append(args, "--"+compression)
			}
			return program(s.Host, build.Pgseal(b), append(args, s.VaultURL(), server(run))...)
		},
		stored: func(run int) int64 { return s.size(b, s.Vault, server(run)+"/base/") },
		clean:  func(run int) { s.remove(b, s.Vault, server(run)+"/") },
	}
}

// BenchmarkPgBackRest is a full backup by pgBackRest, with as many processes as pgseal has jobs, into a directory by both:
// pgBackRest speaks to S3 over TLS only, which would be measured with it.
func BenchmarkPgBackRest(b *testing.B) {
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	size := readAll(b, c.DataDir)
	dir := pgtest.Dir(b)
	var all []contender
	for _, codec := range []struct{ name, theirs string }{{"none", "none"}, {"lz4", "lz4"}, {"gzip", "gz"}} {
		place := func(who string, run int) string {
			return filepath.Join(dir, fmt.Sprintf("%s-%s-%d", who, codec.name, run))
		}
		stored := func(who string) func(int) int64 { return func(run int) int64 { return sizeOf(b, place(who, run)) } }
		clean := func(who string) func(int) { return func(run int) { removeDir(b, place(who, run)) } }
		all = append(all, contender{
			name: "pgBackRest " + codec.name,
			command: func(run int) *exec.Cmd {
				flags := []string{
					"--stanza=main", "--pg1-path=" + c.DataDir, "--pg1-socket-path=" + c.SocketDir, fmt.Sprint("--pg1-port=", c.Port), "--pg1-user=postgres",
					"--repo1-path=" + place("pgbackrest", run), "--log-level-file=off", "--log-level-console=warn", "--lock-path=" + filepath.Join(dir, "lock"),
				}
				if out, err := pgtest.Command(b.Context(), "pgbackrest", append(flags, "stanza-create")...).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				return pgtest.Command(b.Context(), "pgbackrest", append(flags, "--type=full", "--process-max=2", "--start-fast", "--no-archive-check",
					"--compress-type="+codec.theirs, "backup")...)
			},
			stored: stored("pgbackrest"), clean: clean("pgbackrest"),
		}, contender{
			name: "pgseal " + codec.name, against: "pgBackRest " + codec.name,
			command: func(run int) *exec.Cmd {
				vault, staging := "file://"+place("pgseal", run), "file://"+place("staging", run)
				if err := filebucket.Init(vault, filebucket.Lock{}); err != nil {
					b.Fatal(err)
				}
				pgtest.Own(b, place("pgseal", run))
				args := []string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--staging-url", staging}
				if codec.name != "none" {
					args = append(args, "--"+codec.name)
				}
				cmd := pgtest.Command(b.Context(), build.Pgseal(b), append(args, vault, "main")...)
				cmd.Env = append(cmd.Env, "PGSEAL_WAL_CHECK=off") // pgBackRest is told not to look either
				return cmd
			},
			stored: stored("pgseal"), clean: func(run int) { clean("pgseal")(run); clean("staging")(run) },
		})
	}
	title := fmt.Sprintf("Base backup of %.0f MB into a directory, 2 processes, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, func() { readAll(b, c.DataDir) }, all)
	}
}

// sizeOf adds up the files below a directory.
func sizeOf(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}
