package story_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// stock prepares one of Debian's barman-cloud commands, with the vault and the
// server as the first two arguments after the flags.
func (c *scene) stock(who, name string, flags []string, args ...string) *exec.Cmd {
	all := slices.Concat(c.Stock(c.Store), flags, []string{c.vaultURL, server}, args)
	return program(c.Env(who), "/usr/bin/barman-cloud-"+name, all...)
}

// restore runs barman-cloud-restore as whoever restores, or unpacks the archives
// as it would where there is no stock barman for the store.
func (c *scene) restore(t testing.TB, source *pgtest.Cluster, id string) restored {
	t.Helper()
	if c.Stock == nil {
		return c.untar(t, source, id)
	}
	cmd, r := c.stockRestoreCommand(t, source, id)
	run(t, cmd).want(t, 0)
	for oid, dir := range r.tablespaces {
		if to, err := os.Readlink(filepath.Join(r.data, "pg_tblspc", oid)); err != nil || to != dir {
			t.Errorf("tablespace %s is at %q, %v; want %s", oid, to, err, dir)
		}
	}
	return r
}

func (c *scene) stockRestoreCommand(t testing.TB, source *pgtest.Cluster, id string) (*exec.Cmd, restored) {
	t.Helper()
	dir := pgtest.Dir(t)
	r := restored{data: filepath.Join(dir, "data"), tablespaces: map[string]string{}}
	var flags []string
	for _, ts := range source.Tablespaces {
		if ts.Location == "" {
			continue
		}
		r.tablespaces[ts.OID] = filepath.Join(dir, "moved "+ts.OID)
		flags = append(flags, "--tablespace", ts.Name+":"+r.tablespaces[ts.OID])
	}
	cmd := c.stock(cloud.Restore, "restore", flags, id, r.data)
	cmd.Env = append(cmd.Env, pgtest.SnappyEnv(t))
	return cmd, r
}
