package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Standby makes a hot standby that streams from the cluster, and starts it. It has its own copies of the tablespaces,
// the primary's configuration (so archive_mode=on, which archives nothing on a standby) and its environment.
func (c *Cluster) Standby() *Cluster {
	c.t.Helper()
	root := Dir(c.t)
	s := &Cluster{t: c.t, root: root, Install: c.Install, DataDir: filepath.Join(root, "data"), env: c.env}
	s.ConfigFile = filepath.Join(s.DataDir, "postgresql.conf")
	c.BaseCopy(s.DataDir)
	for _, ts := range c.Tablespaces {
		if ts.Location != "" {
			ts.Location = s.DataDir + "." + ts.OID
		}
		s.Tablespaces = append(s.Tablespaces, ts)
	}
	s.makeSocketDir()
	s.Port = freePort(c.t)
	if err := os.WriteFile(filepath.Join(s.DataDir, "standby.signal"), nil, 0o600); err != nil {
		c.t.Fatal(err)
	}
	Own(c.t, s.DataDir)
	s.appendConfig(map[string]string{
		"port":                    strconv.Itoa(s.Port),
		"unix_socket_directories": s.SocketDir,
		"hba_file":                filepath.Join(s.DataDir, "pg_hba.conf"),
		"ident_file":              filepath.Join(s.DataDir, "pg_ident.conf"),
		"primary_conninfo":        fmt.Sprintf("host=%s port=%d user=postgres", c.SocketDir, c.Port),
	})
	s.Start()
	s.CatchUp(c)
	return s
}

// CatchUp waits until the standby has replayed all that its primary had written when the call began.
func (c *Cluster) CatchUp(primary *Cluster) {
	c.t.Helper()
	lsn := primary.SQL("SELECT pg_current_wal_flush_lsn()")
	c.waitFor("the standby to replay up to "+lsn, func(ctx context.Context) error {
		at, err := c.TrySQL(ctx, "SELECT pg_last_wal_replay_lsn() >= '"+lsn+"', pg_last_wal_replay_lsn()")
		if err == nil && at[0] != 't' {
			err = fmt.Errorf("it is at %s", at[2:])
		}
		return err
	})
}

// Promote makes a primary of the standby and waits until it is one.
func (c *Cluster) Promote() {
	c.t.Helper()
	c.SQL("SELECT pg_promote()")
	c.waitRecovered()
}

func (c *Cluster) waitRecovered() {
	c.t.Helper()
	c.waitFor("the end of recovery", func(ctx context.Context) error {
		in, err := c.TrySQL(ctx, "SELECT pg_is_in_recovery()")
		if err == nil && in != "f" {
			err = fmt.Errorf("in recovery")
		}
		return err
	})
}
