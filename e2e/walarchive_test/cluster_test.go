package walarchive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// A primary archives, a backup leaves its label file, the primary ends, the standby is promoted and archives the end of
// the old timeline and the history of the new one: every kind of file that archive_command is called for. Stock barman
// reads all of it, and a repetition of every call is a success.
func TestAServerArchivesAndStockBarmanReads(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		formats := map[string]string{"": "-v", ".gz": "--gzip", ".bz2": "--bzip2", ".snappy": "--snappy"}
		if k.Name != clouds.AWS.Name { // what is compressed how does not depend on where it goes
			formats = map[string]string{".gz": "--gzip"}
		}
		for suffix, flag := range formats {
			t.Run("suffix"+suffix, func(t *testing.T) {
				t.Parallel()
				a := start(t, k, cloud.Config{Prefix: "barman"})
				keep := pgtest.Dir(t) // what was archived, to compare
				call := fmt.Sprintf("%s wal-archive %s %s/ %s", build.Pgseal(t), flag, a.VaultURL(), server)
				primary := pgtest.New(t, pgtest.Options{
					Install:          pgtest.Find(t, 15),
					WALSegmentSizeMB: 1,
					ArchiveCommand:   fmt.Sprintf("%s %%p && cp -f %%p %s/%%f", call, keep),
					Env:              a.Env(cloud.Host),
				})
				primary.SQL("CREATE TABLE t AS SELECT generate_series(1, 20000)")
				session := primary.Conn()
				for _, statement := range []string{"SELECT pg_backup_start('b', true)", "SELECT pg_backup_stop(false)"} {
					if _, err := session.Exec(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				primary.ArchiveAll()
				standby := primary.Standby()
				primary.SQL("INSERT INTO t SELECT generate_series(1, 1000)") // the last segment is left half full
				standby.CatchUp(primary)
				primary.Stop()
				standby.Promote()
				standby.ArchiveAll()

				entries, err := os.ReadDir(keep)
				if err != nil {
					t.Fatal(err)
				}
				kinds := map[string]int{}
				restore := filepath.Join(pgtest.Dir(t), "restored")
				for _, e := range entries {
					kinds[path.Ext(e.Name())]++
					if ext := path.Ext(e.Name()); ext == ".backup" || ext == "" && kinds[ext] > 2 {
						continue // no restore_command asks for the first; Python takes its time
					}
					a.fetch(t, e.Name(), suffix, restore)
					want, err := os.ReadFile(filepath.Join(keep, e.Name()))
					if err != nil {
						t.Fatal(err)
					}
					if got, err := os.ReadFile(restore); err != nil || digest(got) != digest(want) {
						t.Errorf("%s: restored %d bytes, %v; want the %d that were archived", e.Name(), len(got), err, len(want))
					}
				}
				if kinds[""] < 3 || kinds[".backup"] < 1 || kinds[".history"] != 1 || kinds[".partial"] != 1 {
					t.Errorf("archived were %v", kinds)
				}
				if k.Stock != nil {
					for name, code := range map[string]int{"another": 0, server: 1} {
						wait(t, a.command(t, cloud.Restore, "/usr/bin/barman-cloud-check-wal-archive", append(k.Stock(a.Store), a.VaultURL(), name)...)).want(t, code)
					}
				}

				before := versions(t, a)
				if len(before) != len(entries) || slices.ContainsFunc(before, func(v string) bool { return !strings.Contains(v, suffix+" ") }) {
					t.Errorf("%d files became %d versions: %q", len(entries), len(before), before)
				}
				for _, e := range entries {
					archive(t, a, filepath.Join(keep, e.Name()), flag).want(t, 0, "already archived")
				}
				if after := versions(t, a); !slices.Equal(after, before) {
					t.Errorf("the vault has changed from %q to %q", before, after)
				}
				for _, r := range a.Requests(cloud.Keys(a.Root()+"main/*"), cloud.By(cloud.Host)) {
					if r.Op == cloud.Create && !r.CreateOnly || r.Op == cloud.Delete {
						t.Errorf("%+v", r)
					}
				}
			})
		}
	})
}

// fetch restores a file of the archive, with stock barman where it knows the store.
func (s *store) fetch(t *testing.T, name, suffix, to string) {
	t.Helper()
	if s.Stock != nil {
		cmd := s.command(t, cloud.Restore, "/usr/bin/barman-cloud-wal-restore", append(s.Stock(s.Store), s.VaultURL(), server, name, to)...)
		cmd.Env = append(cmd.Env, pgtest.SnappyEnv(t))
		wait(t, cmd).want(t, 0)
		return
	}
	packed, _, err := bucket.ReadAll(t.Context(), s.vault, layout.WAL(server, name, suffix), "", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	r, err := codec.Decompress(suffix, bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err == nil {
		err = os.WriteFile(to, body, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What the archiver is told when the archive holds another server's segment: it fails, says why in the log, and goes on
// trying, and the archive is left as it was.
func TestAnArchiveOfAnotherServerStopsTheArchiver(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), WALSegmentSizeMB: 1, Env: a.Env(cloud.Host), ArchiveCommand: "false"})
		name := c.SQL("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
		foreign := segment(mib, 'a')
		number, err := strconv.ParseUint(name[16:], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint64(foreign[8:], number*mib)
		archive(t, a, write(t, name, foreign)).want(t, 0)
		before := wantOne(t, a, onTheir+name)

		c.Set(map[string]string{"archive_command": fmt.Sprintf("%s wal-archive %s %s %%p", build.Pgseal(t), a.VaultURL(), server)})
		c.SwitchWAL()
		eventually(t, "the archiver to fail", func() bool {
			log := c.Log()
			return strings.Contains(log, "another cluster (another system identifier)") && strings.Contains(log, "archive command failed with exit code 1")
		})
		if log := c.Log(); !strings.Contains(log, "recovery.signal") {
			t.Errorf("the server's log does not say what to do:\n%s", log)
		}
		if after := wantOne(t, a, onTheir+name); after != before {
			t.Errorf("%s became %s", before, after)
		}
	})
}
