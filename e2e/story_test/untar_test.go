package story_test

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// untar restores a backup with nothing but tar and the decompressors of the
// system.
func (c *scene) untar(t testing.TB, source *pgtest.Cluster, id string) restored {
	t.Helper()
	dir := pgtest.Dir(t)
	r := restored{data: filepath.Join(dir, "data"), tablespaces: map[string]string{}}
	c.untarBase(t, id, layout.Data, r.data, "")
	for _, ts := range source.Tablespaces {
		if ts.Location == "" {
			continue
		}
		r.tablespaces[ts.OID] = filepath.Join(dir, ts.OID)
		c.untarBase(t, id, ts.OID, r.tablespaces[ts.OID], "")
	}
	return r
}

// untarBase unpacks the archives of one base up to, and without, the one that is
// named.
func (c *scene) untarBase(t testing.TB, id, base, dir, before string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	pgtest.Own(t, dir)
	keys := c.archives(t, id, base)
	if len(keys) == 0 || !strings.HasPrefix(path.Base(keys[0]), base+".tar") {
		t.Fatalf("no main archive of %s in %q", base, keys)
	}
	for _, key := range keys {
		if key == before {
			return
		}
		c.untarArchive(t, key, dir)
	}
}

// untarArchive unpacks one archive over what is there.
func (c *scene) untarArchive(t testing.TB, key, dir string) {
	t.Helper()
	body := c.open(t, key)
	defer body.Close()
	filter := map[string]string{".tar": "cat", ".lz4": "lz4 -dc", ".gz": "gzip -dc", ".bz2": "bzip2 -dc"}[path.Ext(key)]
	cmd := program(nil, "/bin/bash", "-o", "pipefail", "-c", filter+` | tar -x -C "$0"`, dir)
	cmd.Stdin = io.Reader(body)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v\n%s", key, err, out)
	}
}
