package postgres

import (
	"fmt"
	"time"
)

// CheckArchiving refuses a backup whose WAL would never arrive: ErrArchiving.
// A standby archives nothing itself unless archive_mode is always, so there
// only the vault can tell. Do not call it where the WAL goes elsewhere
// (pg_receivewal, another tool).
func (f Facts) CheckArchiving() error {
	if f.InRecovery && f.ArchiveMode != "always" {
		return nil
	}
	a := f.Archiver
	switch {
	case f.ArchiveMode == "off":
		return fmt.Errorf("%w: archive_mode is off: without its WAL a backup cannot be restored; set archive_mode = on and archive_command, and restart PostgreSQL", ErrArchiving)
	case !f.ArchiveTarget:
		return fmt.Errorf("%w: archive_mode is %s, but neither archive_command nor archive_library is set: WAL piles up and none is archived", ErrArchiving, f.ArchiveMode)
	case a.LastFailedTime.After(a.LastArchivedTime):
		return fmt.Errorf("%w: it fails now: %s failed at %s (%d failures since the statistics were reset, last success %s); the server's log has the reason",
			ErrArchiving, a.LastFailedWAL, a.LastFailedTime.UTC().Format(time.RFC3339), a.FailedCount, lastSuccess(a))
	}
	return nil
}

func lastSuccess(a Archiver) string {
	if a.LastArchivedTime.IsZero() {
		return "never"
	}
	return a.LastArchivedWAL + " at " + a.LastArchivedTime.UTC().Format(time.RFC3339)
}
