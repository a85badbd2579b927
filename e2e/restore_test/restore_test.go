package restore_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// A backup of each compression, with tablespaces and in several parts, comes back and recovers to the end of the WAL.
func TestEveryCompressionComesBack(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := sealed.Start(t, k)
		source := s.Cluster(t, pgtest.Options{Checksums: true, Tablespaces: 1, OddTablespace: true})
		source.SQL("CREATE TABLE story AS SELECT i, md5(i::text) FROM generate_series(1, 100000) i")
		formats := []string{"--gzip", "-q"}
		if k.Name == clouds.AWS.Name { // what is compressed how does not depend on where it is
			formats = append(formats, "--bzip2", "--snappy", "--lz4")
		}
		for _, flag := range formats {
			id := s.Backup(t, source, flag, "-n", "as"+flag)
			source.SQL("INSERT INTO story SELECT 1, '' FROM generate_series(1, 10)")
			source.ArchiveAll()
			want := rows(source, source)
			r := place(t, s, source)
			sealed.Run(t, r.restore(t, "as"+flag, "--verify-only")).Want(t, 0, id, "can be read", "sealed and verified")
			sealed.Run(t, r.restore(t, "latest")).Want(t, 0, id, "sealed and verified", "Archiving is off", "-D "+r.data)
			c := r.recovered(t, source, pgtest.RecoveryOptions{})
			if got := rows(c, source); got != want {
				t.Errorf("%s: recovered %s, want %s", flag, got, want)
			}
			if mode := c.SQL("SHOW archive_mode"); mode != "off" {
				t.Errorf("archive_mode is %s", mode)
			}
			c.Stop()
			pgtest.Checksums(t, r.data)
			sealed.Run(t, r.restore(t, id)).Want(t, 1, "not empty")
		}
		for _, req := range s.Requests(cloud.By(cloud.Restore)) {
			if req.Op != cloud.Read && req.Op != cloud.Stat && req.Op != cloud.List && req.Op != cloud.Other {
				t.Errorf("a restore asked for %+v", req)
			}
		}
	})
}

// A host that turned hostile after the seal: what it adds is not restored, and what it can write over neither.
func TestWhatWasAddedIsNotRestored(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := sealed.Start(t, k)
		source := s.Cluster(t, pgtest.Options{})
		source.SQL("CREATE TABLE story AS SELECT generate_series(1, 1000) i")
		id := s.Backup(t, source)
		dir := layout.BackupDir(server, id)
		host, err := s.Open(t.Context(), cloud.Host, s.VaultURL())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := host.Create(t.Context(), dir+"data_9999.tar", strings.NewReader("not a tar"), bucket.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if k.Versions {
			if err := s.Overwrite(t.Context(), s.VaultName(), s.Root()+dir+"data.tar", []byte("not a tar either")); err != nil {
				t.Fatal(err)
			}
		}
		r := place(t, s, source)
		o := sealed.Run(t, r.restore(t, id)).Want(t, 0, "Note: "+dir+"data_9999.tar was added after the backup was sealed, and is not restored")
		if k.Versions && !strings.Contains(o.Output, dir+"data.tar was written over") {
			t.Errorf("nothing is said of data.tar:\n%s", o.Output)
		}
		c := r.recovered(t, source, pgtest.RecoveryOptions{})
		if got := c.SQL("SELECT count(*) FROM story"); got != "1000" {
			t.Error(got)
		}

		// A store that did not keep what it was given.
		if !k.Versions {
			if err := s.Overwrite(t.Context(), s.VaultName(), s.Root()+dir+"data.tar", []byte("not a tar either")); err != nil {
				t.Fatal(err)
			}
			again := place(t, s, source)
			sealed.Run(t, again.restore(t, id)).Want(t, 1, "data.tar")
			if _, err := os.Stat(filepath.Join(again.data, "global", "pg_control")); !os.IsNotExist(err) {
				t.Errorf("it would start: %v", err)
			}
		}
	})
}

// SIGKILL in the middle, and then the same command again.
func TestAKilledRestoreGoesOn(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := sealed.Start(t, k)
		source := s.Cluster(t, pgtest.Options{Tablespaces: 1})
		source.SQL("CREATE TABLE story AS SELECT i, md5(i::text) FROM generate_series(1, 100000) i")
		id := s.Backup(t, source)
		want := rows(source, source)
		r := place(t, s, source)
		reached := s.Faulty().Add(cloud.Fault{Op: cloud.Read, Identity: cloud.Restore, Key: "*data_0001.tar", Action: cloud.Slow, Delay: time.Hour})
		cmd := r.restore(t, id, "-J", "2")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "an archive to be done, and another under way", func() bool {
			state, err := os.ReadFile(filepath.Join(r.data, ".pgseal-restore", "state.json"))
			return err == nil && strings.Contains(string(state), ".tar\"") && reached() > 0
		})
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		s.Faulty().Clear()
		if _, err := os.Stat(filepath.Join(r.data, "global", "pg_control")); !os.IsNotExist(err) {
			t.Fatalf("it would start: %v", err)
		}
		sealed.Run(t, r.restore(t, id)).Want(t, 0, "going on with an unfinished restore")
		c := r.recovered(t, source, pgtest.RecoveryOptions{})
		if got := rows(c, source); got != want {
			t.Errorf("recovered %s, want %s", got, want)
		}
	})
}

// What stock barman stored comes back through pgseal, and the other way round; by barman's name pgseal writes no more than
// barman does.
func TestStockBarmanAndPgsealReadEachOther(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		if k.Stock == nil {
			return
		}
		s := sealed.Start(t, k)
		source := s.Cluster(t, pgtest.Options{Tablespaces: 1})
		source.SQL("CREATE TABLE story AS SELECT i, md5(i::text) FROM generate_series(1, 100000) i")
		stock := func(name string, args ...string) sealed.Outcome {
			cmd := s.Command(cloud.Breakglass, "/usr/bin/barman-cloud-"+name, append(k.Stock(s.Store), args...)...)
			return sealed.Run(t, cmd)
		}
		stock("backup", "--immediate-checkpoint", "-z", "-S", "4MB", "-d", source.DSN(), s.VaultURL(), server).Want(t, 0)
		source.SQL("INSERT INTO story VALUES (0, '')")
		source.ArchiveAll()
		want := rows(source, source)
		r := place(t, s, source)
		sealed.Run(t, r.restore(t, "latest")).Want(t, 0, "not pgseal's")
		c := r.recovered(t, source, pgtest.RecoveryOptions{})
		if got := rows(c, source); got != want {
			t.Errorf("recovered %s, want %s", got, want)
		}

		id := s.Backup(t, source, "--gzip")
		theirs, ours := place(t, s, source), place(t, s, source)
		stock("restore", append(append([]string{}, theirs.flags...), s.VaultURL(), server, id, theirs.data)...).Want(t, 0)
		link := filepath.Join(pgtest.Dir(t), "barman-cloud-restore")
		if err := os.Symlink(build.Pgseal(t), link); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"--cloud-provider=" + k.Provider}, ours.flags...)
		sealed.Run(t, s.Command(cloud.Restore, link, append(args, s.VaultURL()+"/", server, id, ours.data)...)).Want(t, 0)
		if a, b := files(t, theirs.data), files(t, ours.data); a != b {
			t.Errorf("barman restored\n%s\npgseal\n%s", a, b)
		}
	})
}

// files lists a directory as "mode name", links with where they lead by their last element.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		to, _ := os.Readlink(path)
		all.WriteString(info.Mode().String() + " " + strings.TrimPrefix(path, dir) + " " + filepath.Base(to) + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// until waits for what another process does.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
