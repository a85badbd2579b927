package postgres

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// SameServer checks that the files at root are those of this session's server,
// to be called before the first byte: a start on the primary and the files of a
// local standby make a backup that restores without an error and lacks data.
// It compares postmaster.pid with the session, and pg_control on disk with
// pg_control as the server reads it. Errors: ErrOtherServer; others when a file
// cannot be read.
func (s *Session) SameServer(ctx context.Context, f Facts, root string) error {
	if err := sameDirectory(f.DataDirectory, root); err != nil {
		return err
	}
	if err := f.checkPostmaster(root); err != nil {
		return err
	}
	return s.checkControl(ctx, f, root)
}

func otherServer(format string, args ...any) error {
	return fmt.Errorf("%w: %s; run pgseal on the host of the server it connects to, and connect to that server (-h with its socket directory)",
		ErrOtherServer, fmt.Sprintf(format, args...))
}

func sameDirectory(server, local string) error {
	a, err := filepath.EvalSymlinks(server)
	if err != nil {
		return otherServer("the server's data_directory %s is not here: %v", server, err)
	}
	b, err := filepath.EvalSymlinks(local)
	if err != nil {
		return fmt.Errorf("PGDATA: %w", err)
	}
	if a != b {
		return otherServer("the server's data_directory is %s, the files are at %s", a, b)
	}
	return nil
}

// checkControl reads pg_control on both sides until the file did not change
// while the server was asked.
func (s *Session) checkControl(ctx context.Context, f Facts, root string) error {
	for range 20 {
		_, before, err := pgdata.ReadControl(root)
		if err != nil {
			return err
		}
		server, inRecovery, err := s.control(ctx)
		if err != nil {
			return fmt.Errorf("ask PostgreSQL about pg_control: %w", err)
		}
		_, after, err := pgdata.ReadControl(root)
		if err != nil {
			return err
		}
		if before.SystemID != f.SystemID {
			return otherServer("system identifier %d on disk, %d in the session", before.SystemID, f.SystemID)
		}
		if before != after {
			continue
		}
		return compareControl(before, server, inRecovery)
	}
	return fmt.Errorf("pg_control in %s changes all the time: cannot tell whether it is this server's", root)
}

func compareControl(disk, server pgdata.Control, inRecovery bool) error {
	want := pgdata.InProduction
	if inRecovery {
		want = pgdata.InArchiveRecovery
	}
	switch {
	case disk.State != want:
		return otherServer("pg_control on disk says %q, the session's server is %q", disk.State, want)
	case disk.Timeline != server.Timeline:
		return otherServer("timeline %d on disk, %d in the session", disk.Timeline, server.Timeline)
	case disk.Checkpoint != server.Checkpoint || disk.Redo != server.Redo || !disk.Modified.Equal(server.Modified):
		return otherServer("the newest checkpoint is %s (redo %s, pg_control written %s) on disk, %s (redo %s, written %s) in the session",
			disk.Checkpoint, disk.Redo, disk.Modified.UTC().Format(time.RFC3339),
			server.Checkpoint, server.Redo, server.Modified.UTC().Format(time.RFC3339))
	}
	return nil
}

// control is pg_control as the server sees it; it has no state there.
func (s *Session) control(ctx context.Context) (c pgdata.Control, inRecovery bool, err error) {
	var checkpoint, redo string
	err = s.row(ctx, `SELECT c.checkpoint_lsn::text, c.redo_lsn::text, c.timeline_id, s.pg_control_last_modified, pg_is_in_recovery()
		FROM pg_control_checkpoint() c, pg_control_system() s`, nil, &checkpoint, &redo, &c.Timeline, &c.Modified, &inRecovery)
	if err != nil {
		return c, false, err
	}
	if c.Checkpoint, err = layout.ParseLSN(checkpoint); err != nil {
		return c, false, err
	}
	c.Redo, err = layout.ParseLSN(redo)
	return c, inRecovery, err
}

// CheckStarted checks, after Start, that the checkpoint of the backup has
// reached pg_control at root. Errors: ErrOtherServer.
func CheckStarted(start StartInfo, root string) error {
	_, c, err := pgdata.ReadControl(root)
	if err != nil {
		return err
	}
	if c.Redo < start.LSN {
		return otherServer("the backup starts at %s, but the newest checkpoint on disk begins at %s", start.LSN, c.Redo)
	}
	if c.Timeline != start.Timeline {
		return otherServer("the backup starts on timeline %d, pg_control on disk is on %d", start.Timeline, c.Timeline)
	}
	return nil
}

// checkPostmaster compares what identifies the running server.
func (f Facts) checkPostmaster(root string) error {
	p, err := readPostmaster(filepath.Join(root, "postmaster.pid"))
	if err != nil {
		return err
	}
	if p.port != f.Port {
		return otherServer("the server on these files listens on port %d, the session's on %d", p.port, f.Port)
	}
	// The file holds the moment of the process's start in whole seconds; the
	// server notes its own after it has set up its memory.
	if late := f.PostmasterStart.Sub(p.started); late < -2*time.Second || late > startWindow {
		return otherServer("the server on these files started at %s, the session's at %s",
			p.started.UTC().Format(time.RFC3339), f.PostmasterStart.UTC().Format(time.RFC3339))
	}
	if err := sameDirectory(strings.TrimSpace(p.directory), root); err != nil {
		return fmt.Errorf("postmaster.pid: %w", err)
	}
	return nil
}
