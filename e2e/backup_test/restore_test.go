package backup_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// unpack extracts the archives of one base in the order of their keys, as a
// stock restore does.
func (p places) unpack(t testing.TB, id, base, dir string) {
	t.Helper()
	for _, key := range keys(t, p.vault, layout.BackupDir(server, id)+base) {
		body, _, err := p.vault.Open(t.Context(), key, "", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		r, err := codec.BySuffix(key).NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		extract(t, tar.NewReader(r), dir)
		if err := errors.Join(r.Close(), body.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func extract(t testing.TB, r *tar.Reader, dir string) {
	t.Helper()
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, h.FileInfo().Mode().Perm())
		case tar.TypeReg:
			var f *os.File
			if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, h.FileInfo().Mode().Perm()); err == nil {
				_, err = io.Copy(f, r)
				err = errors.Join(err, f.Close())
			}
		default:
			t.Fatalf("%s: a tar member of type %c", h.Name, h.Typeflag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// restored unpacks a backup, with its tablespaces in new places, and starts it
// with the WAL that is in the vault.
func (p places) restored(t testing.TB, c *pgtest.Cluster, id string) *pgtest.Cluster {
	t.Helper()
	dir := pgtest.Dir(t)
	data, wal := filepath.Join(dir, "data"), filepath.Join(dir, "wal")
	p.unpack(t, id, layout.Data, data)
	links := map[string]string{}
	for _, ts := range c.Tablespaces {
		if ts.Location == "" {
			continue
		}
		links[ts.OID] = filepath.Join(dir, ts.OID)
		if err := os.Mkdir(links[ts.OID], 0o700); err != nil {
			t.Fatal(err)
		}
		p.unpack(t, id, ts.OID, links[ts.OID])
	}
	p.fetchWAL(t, wal)
	pgtest.Own(t, dir)
	return pgtest.StartRestored(t, c.Install, data, pgtest.RecoveryOptions{
		RestoreCommand: "cp " + wal + "/%f %p", Tablespaces: links,
	})
}

// fetchWAL copies the archived WAL into a directory.
func (p places) fetchWAL(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(t, p.vault, layout.WALDir(server)) {
		name := filepath.Join(dir, key[strings.LastIndexByte(key, '/')+1:])
		if err := os.WriteFile(name, []byte(content(t, p.vault, key)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkTablespaces counts the rows that pgtest put there.
func checkTablespaces(t testing.TB, c, restored *pgtest.Cluster) {
	t.Helper()
	for _, ts := range c.Tablespaces {
		if n := restored.SQL("SELECT count(*) FROM " + ts.Table); n != "10000" {
			t.Errorf("tablespace %s has %s rows", ts.Name, n)
		}
	}
}

// names of the archives of a backup.
func (p places) archives(t testing.TB, id string) []string {
	t.Helper()
	var all []string
	for _, key := range keys(t, p.vault, layout.BackupDir(server, id)) {
		if name := key[strings.LastIndexByte(key, '/')+1:]; strings.Contains(name, ".tar") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
