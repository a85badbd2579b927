package story_test

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// restored is a backup on disk, with its tablespaces in new places.
type restored struct {
	data        string
	tablespaces map[string]string // OID to directory
}

// recovery has the WAL fetched by stock barman, a second for each segment, or
// copied where there is no stock barman for the store.
func (c *scene) recovery(t testing.TB) pgtest.RecoveryOptions {
	t.Helper()
	if c.Stock == nil {
		return c.fetched(t)
	}
	return pgtest.RecoveryOptions{
		RestoreCommand: "/usr/bin/barman-cloud-wal-restore " + strings.Join(c.Stock(c.Store), " ") + " " + c.vaultURL + " " + server + " %f %p",
		Env:            c.Env(cloud.Restore),
	}
}

// fetched has the WAL that is in the vault now copied from a directory.
func (c *scene) fetched(t testing.TB) pgtest.RecoveryOptions {
	t.Helper()
	dir := pgtest.Dir(t)
	for _, key := range versions(t, c.vault, layout.WALDir(server)) {
		name, suffix := layout.SplitWAL(path.Base(key))
		r, err := codec.Decompress(suffix, strings.NewReader(content(t, c.reader, key)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err == nil {
			err = errors.Join(r.Close(), os.WriteFile(filepath.Join(dir, name), body, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return pgtest.RecoveryOptions{RestoreCommand: "cp " + dir + "/%f %p"}
}

// checkRecovery starts what was restored, counts, and verifies every page where
// the installation can.
func checkRecovery(t testing.TB, source *pgtest.Cluster, r restored, o pgtest.RecoveryOptions, want string) {
	t.Helper()
	o.Tablespaces = r.tablespaces
	recovered := pgtest.StartRestored(t, source.Install, r.data, o)
	if got := counts(recovered, source); got != want {
		t.Errorf("recovered:\n%s\nwant:\n%s", got, want)
	}
	recovered.Stop()
	if source.Install.Has("pg_checksums") {
		pgtest.Checksums(t, r.data)
	}
}

// counts asks a cluster for everything that a story compares.
func counts(c *pgtest.Cluster, source *pgtest.Cluster) string {
	query := "SELECT count(*), sum(delta) FROM pgbench_history; SELECT count(*), sum(abalance) FROM pgbench_accounts"
	for _, ts := range source.Tablespaces {
		query += "; SELECT count(*), min(t), max(t) FROM " + ts.Table
	}
	return c.SQL(query)
}
