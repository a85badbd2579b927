package pgtest

import (
	"context"
	"fmt"
)

// SwitchWAL ends the current WAL segment and returns its name. It writes a restore point first: on an idle server a
// bare pg_switch_wal does nothing.
func (c *Cluster) SwitchWAL() string {
	c.t.Helper()
	c.SQL("SELECT pg_create_restore_point('pgtest switch')")
	return c.SQL("SELECT pg_walfile_name(pg_switch_wal())")
}

// WaitArchived waits until the archiver has dealt with a segment of the current timeline.
func (c *Cluster) WaitArchived(segment string) {
	c.t.Helper()
	// A segment that is done has a .done file, or is removed or recycled by then.
	query := fmt.Sprintf(`SELECT
		EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name = '%[1]s.done')
		OR ('%[1]s' < pg_walfile_name(pg_current_wal_lsn())
			AND NOT EXISTS (SELECT FROM pg_ls_waldir() WHERE name = '%[1]s'))`, segment)
	c.waitFor(segment+" to be archived", func(ctx context.Context) error {
		done, err := c.TrySQL(ctx, query)
		if err == nil && done != "t" {
			stats, _ := c.TrySQL(ctx, "SELECT last_archived_wal, archived_count, last_failed_wal, failed_count FROM pg_stat_archiver")
			err = fmt.Errorf("pg_stat_archiver (last, count, last failed, failures): %s", stats)
		}
		return err
	})
}

// ArchiveAll ends the current segment, waits until it is archived, and returns its name.
func (c *Cluster) ArchiveAll() string {
	c.t.Helper()
	segment := c.SwitchWAL()
	c.WaitArchived(segment)
	return segment
}
