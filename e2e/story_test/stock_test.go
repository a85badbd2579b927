package story_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// stock prepares one of Debian's barman-cloud commands, with the vault and the
// server as the first two arguments after the flags.
func (c *scene) stock(who localaws.Identity, name string, flags []string, args ...string) *exec.Cmd {
	all := append([]string{"--endpoint-url", c.Endpoint}, flags...)
	all = append(append(all, c.vaultURL, server), args...)
	return program(who.Env(), "/usr/bin/barman-cloud-"+name, all...)
}

// stockRestore runs barman-cloud-restore as whoever restores.
func (c *scene) stockRestore(t testing.TB, source *pgtest.Cluster, id string) restored {
	t.Helper()
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
	cmd := c.stock(c.Restore, "restore", flags, id, r.data)
	cmd.Env = append(cmd.Env, pgtest.SnappyEnv(t))
	return cmd, r
}
