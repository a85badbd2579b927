package postgres

import (
	"context"
	"time"
)

// StartInfo is where a backup begins.
type StartInfo struct {
	LSN LSN
	// Time is the server's now() of the start statement, in the session's time
	// zone: before the checkpoint was waited for.
	Time     time.Time
	Timeline uint32
	// WALFile is the segment that holds LSN.
	WALFile string
}

// StopInfo is where a backup ends.
type StopInfo struct {
	LSN      LSN
	Time     time.Time
	Timeline uint32
	// Label is the content of backup_label, byte for byte.
	Label string
}

// Start begins a backup with this label. With fast the checkpoint is done at
// once; otherwise it is spread, and Start takes minutes.
func (s *Session) Start(ctx context.Context, label string, fast bool) (StartInfo, error) {
	return StartInfo{}, nil
}

// Stop ends the backup without waiting for its WAL to be archived: a wait that
// is cancelled loses the label for good. No restore point and no further WAL
// switch follow; on a primary the stop switches by itself. Errors:
// ErrTimeline, ErrLabel.
func (s *Session) Stop(ctx context.Context) (StopInfo, error) { return StopInfo{}, nil }
