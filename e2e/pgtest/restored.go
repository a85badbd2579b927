package pgtest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// RecoveryOptions say how a restored directory is brought up. Everything goes to the server's command line, which wins
// over the configuration that came out of the backup; only the signal file and the links of Tablespaces are written into
// the directory.
type RecoveryOptions struct {
	RestoreCommand string
	NoSignal       bool // write no recovery.signal
	Prepared       bool // the directory says how it recovers; nothing here does, but for what StartRestored waits for
	Standby        bool // standby.signal instead; the server stays in recovery

	TargetTime, TargetLSN, TargetXID, TargetName string // at most one of these
	TargetImmediate                              bool
	TargetTimeline                               string // "": latest
	TargetAction                                 string // "": promote; pause stays in recovery

	Tablespaces map[string]string // OID to directory: makes the links in pg_tblspc, for tools that do not
	Settings    map[string]string // more settings, unquoted
	Env         []string          // for the restore_command, beyond Command's environment
}

// StartRestored starts a server on a restored PGDATA, on a port and socket of its own and with archiving off, and waits
// until recovery is over. The directory is the caller's; it is given to the servers' user.
func StartRestored(t testing.TB, i Install, dir string, o RecoveryOptions) *Cluster {
	t.Helper()
	c := prepareRestored(t, i, dir, o)
	c.Start()
	if !o.Standby && o.TargetAction != "pause" {
		c.waitRecovered()
	}
	return c
}

// RefusesToStart starts a server on a directory as StartRestored does, fails the test when it comes up, and returns the
// log otherwise.
func RefusesToStart(t testing.TB, i Install, dir string, o RecoveryOptions) (log string) {
	t.Helper()
	c := prepareRestored(t, i, dir, o)
	c.launch()
	for {
		select {
		case <-c.server.exited:
			if c.server.err == nil {
				t.Fatalf("the server ended with success instead of an error; its log:\n%s", c.Log())
			}
			c.server = nil
			return c.Log()
		default:
		}
		if _, err := c.TrySQL(t.Context(), "SELECT 1"); err == nil {
			t.Fatalf("the server came up on %s, which it should have refused; its log:\n%s", dir, c.Log())
		}
	}
}

func prepareRestored(t testing.TB, i Install, dir string, o RecoveryOptions) *Cluster {
	t.Helper()
	c := &Cluster{t: t, root: Dir(t), Install: i, DataDir: dir, env: o.Env, Port: freePort(t)}
	c.makeSocketDir()
	for oid, location := range o.Tablespaces {
		link := filepath.Join(dir, "pg_tblspc", oid)
		if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.Symlink(location, link); err != nil {
			t.Fatal(err)
		}
		Own(t, location)
	}
	signal := "recovery.signal"
	if o.Standby {
		signal = "standby.signal"
	}
	if !o.NoSignal && !o.Prepared {
		c.write(filepath.Join(dir, signal), "")
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	Own(t, dir)
	verify(t, i, dir)

	// Backups hold external configuration or not, and what they hold names the paths of the source.
	hba, ident := filepath.Join(c.root, "pg_hba.conf"), filepath.Join(c.root, "pg_ident.conf")
	c.write(hba, "local all all trust\nhost all all 127.0.0.1/32 trust\n")
	c.write(ident, "")
	c.ConfigFile = filepath.Join(dir, "postgresql.conf")
	if _, err := os.Stat(c.ConfigFile); err != nil {
		c.ConfigFile = filepath.Join(c.root, "postgresql.conf")
		c.write(c.ConfigFile, "max_connections = 40\nfsync = off\n") // hot standby asks for the source's max_connections
	}
	c.set("config_file", c.ConfigFile)
	c.set("data_directory", dir)
	c.set("hba_file", hba)
	c.set("ident_file", ident)
	c.set("unix_socket_directories", c.SocketDir)
	c.set("listen_addresses", "127.0.0.1")
	c.set("port", strconv.Itoa(c.Port))
	for name, value := range o.Settings {
		c.set(name, value)
	}
	if o.Prepared {
		return c
	}
	c.set("archive_mode", "off")
	// Only what is asked for: what the backup's configuration says otherwise has its effect, as it has for people.
	targetImmediate := ""
	if o.TargetImmediate {
		targetImmediate = "immediate"
	}
	for _, s := range [][2]string{
		{"restore_command", o.RestoreCommand},
		{"recovery_target_time", o.TargetTime},
		{"recovery_target_lsn", o.TargetLSN},
		{"recovery_target_xid", o.TargetXID},
		{"recovery_target_name", o.TargetName},
		{"recovery_target", targetImmediate},
		{"recovery_target_timeline", o.TargetTimeline},
		{"recovery_target_action", cmp.Or(o.TargetAction, "promote")},
	} {
		if s[1] != "" {
			c.set(s[0], s[1])
		}
	}
	return c
}

// verify has PostgreSQL prove each file by the backup_manifest that came with it, where there is one and the installation
// can.
func verify(t testing.TB, i Install, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "backup_manifest")); err == nil && i.Has("pg_verifybackup") {
		Run(t, i.Program("pg_verifybackup"), "--no-parse-wal", "--exit-on-error", dir)
	}
}

// set gives the server a setting on its command line.
func (c *Cluster) set(name, value string) {
	c.arguments = append(c.arguments, name+"="+value)
}

func (c *Cluster) write(path, content string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
	Own(c.t, path)
}

// Checksums verifies every page of a cleanly stopped cluster with the pg_checksums of its own major version, which only
// distribution packages hold (Debian 12: PostgreSQL 15). The test fails when a page is wrong or checksums are off.
func Checksums(t testing.TB, dir string) {
	t.Helper()
	version, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err != nil {
		t.Fatal(err)
	}
	var major int
	if _, err := fmt.Sscan(string(version), &major); err != nil {
		t.Fatalf("PG_VERSION %q: %v", version, err)
	}
	i := Find(t, major)
	if !i.Has("pg_checksums") {
		t.Fatalf("%v in %s has no pg_checksums: only the distribution's package has it", i, i.BinDir)
	}
	Run(t, i.Program("pg_checksums"), "--check", "--pgdata", dir)
}
