package backup_test

import (
	"archive/tar"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestABackupOnFilesRestores: everything at once that a cluster can have, with
// transactions running.
func TestABackupOnFilesRestores(t *testing.T) {
	for _, major := range []int{13, 15, 17, 18} {
		t.Run(fmt.Sprint("PostgreSQL ", major), func(t *testing.T) {
			p := filePlaces(t)
			c := p.cluster(t, pgtest.Options{
				Install: pgtest.Find(t, major), Checksums: true, Tablespaces: 2, OddTablespace: true,
				ExternalConfig: true, SymlinkPGDATA: true, InPlaceTablespace: major >= 15,
			})
			c.LoadPgbench(3)
			stop := c.RunPgbench(2)
			id := p.mustBackup(t, c, "--lz4", "-J", "3", "-S", "5MB", "-n", "nightly")
			stop()
			rows := c.SQL("SELECT count(*), sum(delta) FROM pgbench_history")
			c.ArchiveAll()
			has(t, content(t, p.vault, layout.BackupInfo(server, id)), "status=DONE", "backup_name=nightly")
			p.checkOrder(t, id)

			r := p.restored(t, c, id)
			if got := r.SQL("SELECT count(*), sum(delta) FROM pgbench_history"); got != rows {
				t.Errorf("pgbench_history: %s, want %s", got, rows)
			}
			checkTablespaces(t, c, r)
		})
	}
}

// checkOrder: the root and all directories come first in data.tar; pg_control
// and backup_label are alone in the last of data's archives, so that a restore
// that is interrupted before has no server that starts; links are nowhere.
func (p places) checkOrder(t testing.TB, id string) {
	t.Helper()
	var data []string
	for _, name := range p.archives(t, id) {
		if strings.HasPrefix(name, "data") {
			data = append(data, name)
		}
	}
	if len(data) < 3 {
		t.Errorf("not split: %q", data)
	}
	first := p.members(t, id, data[0])
	if first[0] != "./" || !slices.Contains(first, "pg_wal/") || !slices.Contains(first, "pg_tblspc/") {
		t.Errorf("%s begins with %q", data[0], first[:3])
	}
	file := slices.IndexFunc(first, func(name string) bool { return !strings.HasSuffix(name, "/") })
	if slices.ContainsFunc(first[max(file, 0):], func(name string) bool { return strings.HasSuffix(name, "/") }) {
		t.Errorf("%s has directories behind files", data[0])
	}
	last := data[len(data)-1]
	if got := p.members(t, id, last); !slices.Equal(got, []string{"global/pg_control", "backup_label", "backup_manifest"}) {
		t.Errorf("%s holds %q", last, got)
	}
	for _, name := range data[:len(data)-1] {
		for _, member := range p.members(t, id, name) {
			if member == "global/pg_control" || member == "backup_label" || member == "backup_manifest" || member == "tablespace_map" || strings.HasPrefix(member, "pg_wal/0") {
				t.Errorf("%s holds %s", name, member)
			}
		}
	}
}

// members are the names in an archive.
func (p places) members(t testing.TB, id, name string) (all []string) {
	t.Helper()
	body, _, err := p.vault.Open(t.Context(), layout.BackupDir(server, id)+name, "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	z, err := codec.BySuffix(name).NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			t.Errorf("%s: %s is of type %c", name, h.Name, h.Typeflag)
		}
		all = append(all, h.Name)
	}
}
