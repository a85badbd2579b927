package postgres

import (
	"context"
	"fmt"
	"time"
)

// Health is what decides whether a server's backups can be taken and restored,
// and what became of its WAL so far. To ask for it takes no privilege.
type Health struct {
	// Version is server_version_num: 150018.
	Version    int
	InRecovery bool
	// WALLevel is minimal, replica or logical.
	WALLevel       string
	FullPageWrites bool
	// ArchiveMode and ArchiveTarget are as in Facts, and RestoreCommand tells
	// whether one is set.
	ArchiveMode    string
	ArchiveTarget  bool
	RestoreCommand bool
	Archiver       Archiver
	// Ready is how many files wait for the archiver; -1: that takes pg_monitor.
	Ready int
	Now   time.Time
}

// Health asks for it.
func (s *Session) Health(ctx context.Context) (Health, error) {
	h := Health{Version: s.version, Ready: -1}
	var f Facts
	for _, ask := range []func(context.Context, *Facts) error{s.askArchiving, s.askArchiver} {
		if err := ask(ctx, &f); err != nil {
			return h, fmt.Errorf("ask PostgreSQL about its archiving: %w", err)
		}
	}
	h.ArchiveMode, h.ArchiveTarget, h.Archiver = f.ArchiveMode, f.ArchiveTarget, f.Archiver
	var mayList bool
	err := s.row(ctx, `SELECT pg_is_in_recovery(), now(), current_setting('wal_level'), current_setting('full_page_writes')::bool,
		btrim(current_setting('restore_command')) <> '', has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE')`, nil,
		&h.InRecovery, &h.Now, &h.WALLevel, &h.FullPageWrites, &h.RestoreCommand, &mayList)
	if err != nil {
		return h, fmt.Errorf("ask PostgreSQL about its settings: %w", err)
	}
	if !mayList {
		return h, nil
	}
	if err := s.row(ctx, "SELECT count(*)::int FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'", nil, &h.Ready); err != nil {
		return h, fmt.Errorf("ask PostgreSQL what waits for its archiver: %w", err)
	}
	return h, nil
}
