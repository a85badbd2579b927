package pgtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// emptied are PGDATA's directories whose contents a base backup leaves out (PostgreSQL 18, "Making a Base Backup Using
// the Low Level API"), and pg_wal.
var emptied = []string{"pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"}

// BaseCopy makes a base backup of the running server by plain copying, in the simplest way that is right: into the
// directory `to`, which it creates, with custom tablespaces as directories beside it (`to`.<oid>) and the links to them
// in its pg_tblspc. External configuration is copied in. What is missing for a start is WAL and a signal file. It is
// what standbys are made from, and a yardstick for other backups: pg_basebackup serves its own major version only.
func (c *Cluster) BaseCopy(to string) {
	c.t.Helper()
	ctx := c.t.Context()
	conn := c.Conn()
	defer conn.Close(ctx)
	start, stop := "pg_backup_start('pgtest', true)", "pg_backup_stop(false)"
	if c.Install.Major < 15 {
		start, stop = "pg_start_backup('pgtest', true, false)", "pg_stop_backup(false, false)"
	}
	if _, err := conn.Exec(ctx, "SELECT "+start); err != nil {
		c.t.Fatalf("start a backup: %v", err)
	}
	// DataDir's own slash: it may be a link.
	if err := copyTree(c.DataDir+"/", to); err != nil {
		c.t.Fatalf("copy PGDATA: %v", err)
	}
	links, err := filepath.Glob(filepath.Join(c.DataDir, "pg_tblspc", "*"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, link := range links {
		if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
			continue // in place, and copied
		}
		oid := filepath.Base(link)
		if err := copyTree(link+"/", to+"."+oid); err != nil {
			c.t.Fatalf("copy tablespace %s: %v", oid, err)
		}
		if err := os.Symlink(to+"."+oid, filepath.Join(to, "pg_tblspc", oid)); err != nil {
			c.t.Fatal(err)
		}
		Own(c.t, to+"."+oid)
	}
	if filepath.Dir(c.ConfigFile) != c.DataDir {
		if err := copyTree(filepath.Dir(c.ConfigFile)+"/", to); err != nil {
			c.t.Fatalf("copy the configuration: %v", err)
		}
	}
	// Last: on a standby it says from where on the copy is consistent.
	if err := copyFile(filepath.Join(c.DataDir, "global/pg_control"), filepath.Join(to, "global/pg_control")); err != nil {
		c.t.Fatal(err)
	}
	var label string
	if err := conn.QueryRow(ctx, "SELECT labelfile FROM "+stop).Scan(&label); err != nil {
		c.t.Fatalf("stop the backup: %v", err)
	}
	if err := os.WriteFile(filepath.Join(to, "backup_label"), []byte(label), 0o600); err != nil {
		c.t.Fatal(err)
	}
	Own(c.t, to)
}

// copyTree copies a directory's files and directories into a directory that may exist. Files may vanish meanwhile.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != from {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case slices.Contains(emptied, rel): // a directory, or a link to one
			if err := os.MkdirAll(target, 0o700); err != nil || !d.IsDir() {
				return err
			}
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular(), rel == "postmaster.pid", rel == "postmaster.opts", rel == "backup_label",
			rel == "tablespace_map", strings.HasPrefix(d.Name(), "pgsql_tmp"), strings.HasPrefix(d.Name(), "pg_internal.init"):
			return nil
		}
		err = copyFile(path, target)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", from, err), out.Close())
	}
	return out.Close()
}
