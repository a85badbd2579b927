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

// FillSegment writes WAL until exactly `left` bytes (a multiple of 8, at most 4,096) of a segment are free. With
// left = BackupEndRecord, a pg_backup_stop that follows at once has its stop LSN on the segment boundary. Other WAL in
// between spoils it (the background writer's, every 15 seconds after activity): look at the stop LSN, and try again.
func (c *Cluster) FillSegment(left int) {
	c.t.Helper()
	conn := c.Conn()
	defer conn.Close(c.t.Context())
	for range 100 {
		var gap int // to the place asked for; negative: it is behind us
		const query = `SELECT size - $1 - (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::numeric % size
			FROM (SELECT setting::numeric AS size FROM pg_settings WHERE name = 'wal_segment_size') s`
		if err := conn.QueryRow(c.t.Context(), query, left).Scan(&gap); err != nil {
			c.t.Fatalf("read the WAL's position: %v", err)
		}
		// A record of PostgreSQL 13 to 18: 24 bytes of header, 5 of the data's (2 up to 255 bytes), 24 of the message's,
		// the prefix with its zero, the text; rounded up to 8.
		const overhead, smallest = 24 + 5 + 24 + 2, 400
		text := 0
		switch {
		case gap == 0:
			return
		case gap < 0: // into the next segment
			text = left + 8192
		case gap < smallest: // too near for one message
			text = gap + left + 8192
		case gap+left <= 8192-40: // within the segment's last page
			text = gap - overhead
		default: // every page has a header of 24 bytes, the first one of 40
			text = min(1<<20, max(1, (gap+left)/8192*8168-4096))
		}
		if _, err := conn.Exec(c.t.Context(), "SELECT pg_logical_emit_message(false, 'p', repeat('x', $1))", text); err != nil {
			c.t.Fatalf("write WAL: %v", err)
		}
	}
	c.t.Fatal("the WAL's position does not stand still")
}

// BackupEndRecord is the size of the record that pg_backup_stop writes on a primary, and whose end is the stop LSN:
// 24 bytes of header, 2 of the data's and 8 of data, rounded up to 8 (PostgreSQL 13 to 18).
const BackupEndRecord = 40
