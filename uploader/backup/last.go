package backup

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/archive"
	"github.com/pgseal/pgseal/uploader/backupmanifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// stopCopy reads pg_control, now that all files are closed, and stops the
// backup. Copied earlier, pg_control lets a standby's restore declare
// consistency too early.
func (r *run) stopCopy(ctx context.Context, c *copier) (control []byte, err error) {
	control, parsed, err := pgdata.ReadControl(c.plan.Root)
	if err != nil {
		return nil, err
	}
	if parsed.SystemID != r.facts.SystemID {
		return nil, fmt.Errorf("pg_control has system identifier %d, the server %d", parsed.SystemID, r.facts.SystemID)
	}
	if r.stop, err = r.session.Stop(ctx); err != nil {
		return nil, err
	}
	r.Log.Info("backup stopped in PostgreSQL", "lsn", r.stop.LSN)
	return control, nil
}

// storeLast stores the last archive, without which a restore that was
// interrupted cannot start.
func (r *run) storeLast(ctx context.Context, c *copier, control []byte) error {
	like, err := os.Lstat(filepath.Join(c.plan.Root, pgdata.ControlName))
	if err != nil {
		return err
	}
	w := archive.NewWriter(c.options)
	defer func() { w.Abort(errGivenUp) }()
	c.mu.Lock()
	last := layout.Archive{Base: layout.Data, Number: c.numbers[layout.Data] + 1, Suffix: r.Codec.Suffix}
	c.mu.Unlock()
	if err := w.Begin(ctx, last); err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content []byte
		at      time.Time
	}{{pgdata.ControlName, control, like.ModTime()}, {"backup_label", []byte(r.stop.Label), r.stop.Time}} {
		e := made(f.name, like, f.at)
		if err := w.File(e, int64(len(f.content)), bytes.NewReader(f.content)); err != nil {
			return err
		}
		c.note(layout.Data, e, int64(len(f.content)), crc32.Checksum(f.content, castagnoli))
	}
	if c.files != nil {
		wal := backupmanifest.Range{Timeline: r.start.Timeline, Begin: r.start.LSN, End: r.stop.LSN}
		content, size := c.files.Content(r.facts.Version, r.facts.SystemID, wal)
		if err := w.File(made(backupmanifest.Name, like, r.stop.Time), size, content); err != nil {
			return err
		}
	}
	obj, err := w.Close()
	if err != nil {
		return err
	}
	c.add(obj)
	return nil
}

// made is a file with the owner and mode of another.
func made(name string, like fs.FileInfo, at time.Time) pgdata.Entry {
	e := pgdata.Entry{Name: name, Kind: pgdata.Regular, Mode: like.Mode().Perm(), ModTime: at}
	if st, ok := like.Sys().(*syscall.Stat_t); ok {
		e.UID, e.GID = int(st.Uid), int(st.Gid)
	}
	return e
}
