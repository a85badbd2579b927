// Package restore_test restores with the built pgseal what was backed up into local clouds, and starts PostgreSQL on it
// with the configuration that the restore wrote. The identity is the one that reads and nothing else.
package restore_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const server = sealed.Server

// restored is a directory that a backup goes to, with its tablespaces beside it.
type restored struct {
	*sealed.Scene
	data  string
	flags []string
}

func place(t *testing.T, s *sealed.Scene, source *pgtest.Cluster) *restored {
	t.Helper()
	dir := pgtest.Dir(t)
	r := &restored{Scene: s, data: filepath.Join(dir, "data")}
	for _, ts := range source.Tablespaces {
		if ts.Location != "" {
			r.flags = append(r.flags, "--tablespace", ts.Name+":"+filepath.Join(dir, "moved "+ts.OID))
		}
	}
	return r
}

// restore prepares `pgseal restore` of a backup into the place.
func (r *restored) restore(t *testing.T, backup string, flags ...string) *exec.Cmd {
	t.Helper()
	args := append(append([]string{"restore"}, r.flags...), flags...)
	return r.Command(cloud.Restore, build.Pgseal(t), append(args, r.VaultURL(), server, backup, r.data)...)
}

// recovered starts PostgreSQL there, as the directory says, and waits for what o says.
func (r *restored) recovered(t *testing.T, source *pgtest.Cluster, o pgtest.RecoveryOptions) *pgtest.Cluster {
	t.Helper()
	o.Prepared, o.Env = true, r.Env(cloud.Restore)
	return pgtest.StartRestored(t, source.Install, r.data, o)
}

// rows counts what a story has written.
func rows(c *pgtest.Cluster, source *pgtest.Cluster) string {
	query := "SELECT count(*) FROM story"
	for _, ts := range source.Tablespaces {
		query += "; SELECT count(*), min(t), max(t) FROM " + ts.Table
	}
	return c.SQL(query)
}
