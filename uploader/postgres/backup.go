package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// StartInfo is where a backup begins.
type StartInfo struct {
	LSN layout.LSN
	// Time is the server's now() of the start statement, in the session's time
	// zone: before the checkpoint was waited for.
	Time     time.Time
	Timeline uint32
	// WALFile is the segment that holds LSN.
	WALFile string
}

// StopInfo is where a backup ends.
type StopInfo struct {
	LSN      layout.LSN
	Time     time.Time
	Timeline uint32
	// Label is the content of backup_label, byte for byte.
	Label string
}

// runningBackup is what the session knows of the backup it holds open.
type runningBackup struct {
	StartInfo
	label string
}

// Start begins a backup with this label. With fast the checkpoint is done at
// once; otherwise it is spread, and Start takes minutes. When ctx is cancelled
// meanwhile, the session is closed and no backup runs.
func (s *Session) Start(ctx context.Context, label string, fast bool) (StartInfo, error) {
	if strings.ContainsAny(label, "\r\n\x00") {
		return StartInfo{}, fmt.Errorf("%w: %q has more than one line", ErrLabel, label)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return StartInfo{}, errors.New("this session already runs a backup")
	}
	sql := "SELECT pg_backup_start($1, $2)::text, now(), extract(timezone from now())::int"
	if s.version < 150000 {
		sql = "SELECT pg_start_backup($1, $2, false)::text, now(), extract(timezone from now())::int"
	}
	var (
		b       = &runningBackup{label: label}
		lsn     string
		offset  int
		segment int64
	)
	if err := s.conn.QueryRow(ctx, sql, label, fast).Scan(&lsn, &b.Time, &offset); err != nil {
		return StartInfo{}, fmt.Errorf("start the backup in PostgreSQL: %w", err)
	}
	s.running = b
	b.Time = b.Time.In(time.FixedZone("", offset))
	var err error
	if b.LSN, err = layout.ParseLSN(lsn); err != nil {
		return StartInfo{}, fmt.Errorf("start of the backup: %w", err)
	}
	err = s.conn.QueryRow(ctx, "SELECT timeline_id, (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') FROM pg_control_checkpoint()").
		Scan(&b.Timeline, &segment)
	if err != nil {
		return StartInfo{}, fmt.Errorf("timeline at the start of the backup: %w", err)
	}
	if !layout.SegmentSize(segment) {
		return StartInfo{}, fmt.Errorf("wal_segment_size %d is none that PostgreSQL allows", segment)
	}
	b.WALFile = layout.SegmentAt(b.Timeline, b.LSN, segment).Name(segment)
	return b.StartInfo, nil
}

func (s *Session) stopSQL() string {
	if s.version < 150000 {
		return "SELECT lsn::text, labelfile, now(), extract(timezone from now())::int, pg_is_in_recovery() FROM pg_stop_backup(false, false)"
	}
	return "SELECT lsn::text, labelfile, now(), extract(timezone from now())::int, pg_is_in_recovery() FROM pg_backup_stop(false)"
}

// Stop ends the backup without waiting for its WAL to be archived: a wait that
// is cancelled loses the label for good. No restore point and no further WAL
// switch follow; on a primary the stop switches by itself. Errors:
// ErrTimeline, ErrLabel.
func (s *Session) Stop(ctx context.Context) (StopInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return StopInfo{}, errors.New("no backup runs in this session")
	}
	var (
		stop       StopInfo
		lsn        string
		offset     int
		inRecovery bool
	)
	// What cannot be stopped (a standby that was promoted) ends with the session.
	start := s.running
	s.running = nil
	err := s.conn.QueryRow(ctx, s.stopSQL()).Scan(&lsn, &stop.Label, &stop.Time, &offset, &inRecovery)
	if err != nil {
		return StopInfo{}, fmt.Errorf("stop the backup in PostgreSQL: %w", err)
	}
	stop.Time = stop.Time.In(time.FixedZone("", offset))
	if stop.LSN, err = layout.ParseLSN(lsn); err != nil {
		return StopInfo{}, fmt.Errorf("end of the backup: %w", err)
	}
	if stop.Timeline, err = s.timeline(ctx, inRecovery); err != nil {
		return StopInfo{}, err
	}
	if stop.Timeline != start.Timeline {
		return StopInfo{}, fmt.Errorf("%w: it began on timeline %d and ended on %d; take it again", ErrTimeline, start.Timeline, stop.Timeline)
	}
	if err := start.checkLabel(stop); err != nil {
		return StopInfo{}, err
	}
	return stop, nil
}

// timeline is the one that WAL is written to, or replayed from.
func (s *Session) timeline(ctx context.Context, inRecovery bool) (uint32, error) {
	sql := "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
	if inRecovery {
		sql = "SELECT min_recovery_end_timeline FROM pg_control_recovery()"
	}
	var timeline uint32
	if err := s.conn.QueryRow(ctx, sql).Scan(&timeline); err != nil {
		return 0, fmt.Errorf("timeline at the end of the backup: %w", err)
	}
	return timeline, nil
}

// checkLabel compares what the server wrote into the label with what it said
// at the start.
func (b *runningBackup) checkLabel(stop StopInfo) error {
	l, err := manifest.ParseLabel(stop.Label)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrLabel, err)
	case l.StartTimeline != b.Timeline:
		return fmt.Errorf("%w: the label says timeline %d, the start %d; take the backup again", ErrTimeline, l.StartTimeline, b.Timeline)
	case l.StartLSN != b.LSN || l.StartWALFile != b.WALFile || l.Text != b.label:
		return fmt.Errorf("%w: it says %q at %s in %s, the start said %q at %s in %s",
			ErrLabel, l.Text, l.StartLSN, l.StartWALFile, b.label, b.LSN, b.WALFile)
	case stop.LSN < b.LSN:
		return fmt.Errorf("%w: the backup ends at %s, before its start at %s", ErrLabel, stop.LSN, b.LSN)
	}
	return nil
}
