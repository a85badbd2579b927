package bench

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkRestore restores one and the same backup, which pgseal made and sealed, with stock barman and with pgseal.
// pgseal verifies every byte besides, and waits until all is on disk unless told otherwise; barman does neither.
func BenchmarkRestore(b *testing.B) {
	s := startStores(b)
	const server = "main"
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), Env: s.Host.Env(), Settings: map[string]string{"autovacuum": "off"},
		ArchiveCommand: fmt.Sprintf("%s wal-archive --lz4 %s %s %%p", build.Pgseal(b), s.VaultURL(), server)})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	size := readAll(b, c.DataDir)
	dir := pgtest.Dir(b)
	var all []contender
	for _, name := range []string{"none", "snappy", "gzip"} {
		id := s.sealed(b, c, server, name)
		place := func(who string, run int) string { return filepath.Join(dir, fmt.Sprintf("%s-%s-%d", who, name, run)) }
		ours := func(who, against string, flags ...string) contender {
			return contender{
				name: who, against: against,
				command: func(run int) *exec.Cmd {
					args := append([]string{"restore", "-J", "2"}, flags...)
					return program(s.Restore, build.Pgseal(b), append(args, s.VaultURL(), server, id, place(who, run))...)
				},
				clean: func(run int) { emptyDir(b, place(who, run)) },
			}
		}
		all = append(all, contender{
			name: "barman " + name,
			command: func(run int) *exec.Cmd {
				cmd := program(s.Restore, "/usr/bin/barman-cloud-restore", "--endpoint-url", s.Endpoint, s.VaultURL(), server, id, place("barman", run))
				cmd.Env = append(cmd.Env, pgtest.SnappyEnv(b))
				return cmd
			},
			clean: func(run int) { emptyDir(b, place("barman", run)) },
		}, ours("pgseal "+name+" unsynced", "barman "+name, "--no-sync"), ours("pgseal "+name, "barman "+name))
	}
	title := fmt.Sprintf("Restore of %.0f MB, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, func() {}, all)
	}
}

var backupID = regexp.MustCompile(`backup (\d{8}T\d{6}) `)

// sealed backs the cluster up with one compression and has it sealed.
func (s stores) sealed(b *testing.B, c *pgtest.Cluster, server, compression string) (id string) {
	b.Helper()
	args := []string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL()}
	if compression != "none" {
		args = append(args, "--"+compression)
	}
	out, err := program(s.Host, build.Pgseal(b), append(args, s.VaultURL(), server)...).CombinedOutput()
	found := backupID.FindSubmatch(out)
	if err != nil || found == nil {
		b.Fatalf("%v\n%s", err, out)
	}
	id = string(found[1])
	c.ArchiveAll()
	s.run(b, s.Finalizer, "finalize", "--staging-url", s.StagingURL(), s.VaultURL(), server, id)
	return id
}

func (s stores) run(b *testing.B, who localaws.Identity, args ...string) {
	b.Helper()
	if out, err := program(who, build.Pgseal(b), args...).CombinedOutput(); err != nil {
		b.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// emptyDir frees what the files of a run hold, and leaves the files: ext4 looks at every inode that was freed in the last
// minute before it makes a new one (recently_deleted in fs/ext4/ialloc.c), which cost the next run a third of its time.
func emptyDir(b *testing.B, dir string) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return os.Truncate(path, 0)
	})
	if err != nil {
		b.Fatal(err)
	}
}
