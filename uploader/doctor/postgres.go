package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/postgres"
)

// manyReady is how many files may wait for the archiver: a gibibyte of usual
// segments.
const manyReady = 64

// postgres looks at the server that is to be backed up, as pgseal backup would
// connect to it.
func (l *look) postgres(ctx context.Context) {
	s, err := postgres.Connect(ctx, l.Postgres)
	if err != nil {
		if l.PostgresNamed {
			l.say(checkPostgres, Critical, err.Error(), "connect as pgseal backup does: -h, -p, -U, -d, or PGHOST and the like")
		} else {
			l.unseen(checkPostgres, "no server answers here, and none was named with -h, -p, -U or -d: %v", err)
		}
		return
	}
	defer func() { _ = s.Close() }() // nothing was begun in it
	h, err := s.Health(ctx)
	if err != nil {
		l.say(checkPostgres, Critical, err.Error(), "look at the server's log")
		return
	}
	role := "primary"
	if h.InRecovery {
		role = "standby"
	}
	l.ok(checkPostgres, "PostgreSQL %d.%d, a %s", h.Version/10000, h.Version%10000, role)
	l.privileges(ctx, s)
	l.archiving(h)
	l.archiver(h)
	l.pageWrites(h)
	l.standby(h)
}

func (l *look) privileges(ctx context.Context, s *postgres.Session) {
	switch err := s.CheckPrivileges(ctx); {
	case errors.Is(err, postgres.ErrPrivilege):
		l.say(checkPrivileges, Critical, err.Error(), "run these statements there")
	case err != nil:
		l.say(checkPrivileges, Critical, err.Error(), "look at the server's log")
	default:
		l.ok(checkPrivileges, "this user may take a backup")
	}
}

func (l *look) archiving(h postgres.Health) {
	const next = "set wal_level = replica, archive_mode = on, archive_command = 'pgseal wal-archive URL SERVER %p', and restart PostgreSQL"
	switch {
	case h.WALLevel == "minimal":
		l.say(checkArchiving, Critical, "wal_level is minimal: a backup cannot be taken online", next)
	case h.ArchiveMode == "off":
		l.say(checkArchiving, Critical, "archive_mode is off: without its WAL a backup cannot be restored", next)
	case !h.ArchiveTarget:
		l.say(checkArchiving, Critical, "archive_mode is "+h.ArchiveMode+", and neither archive_command nor archive_library is set: WAL piles up and none is archived", next)
	default:
		l.ok(checkArchiving, "wal_level %s, archive_mode %s", h.WALLevel, h.ArchiveMode)
	}
}

func (l *look) archiver(h postgres.Health) {
	a := h.Archiver
	waiting := ""
	if h.Ready >= 0 {
		waiting = fmt.Sprintf("; files that wait: %d", h.Ready)
	}
	const next = "the server's log has what archive_command said; try it by hand with that file"
	switch {
	case h.ArchiveMode == "off" || !h.ArchiveTarget:
		l.unseen(checkArchiver, "there is none; see archiving")
	case h.InRecovery && h.ArchiveMode != "always":
		l.unseen(checkArchiver, "a standby archives nothing unless archive_mode is always")
	case a.LastFailedTime.After(a.LastArchivedTime):
		last := "never succeeded"
		if !a.LastArchivedTime.IsZero() {
			last = "succeeded last " + catalog.Ago(h.Now.Sub(a.LastArchivedTime)) + " ago"
		}
		l.say(checkArchiver, Critical, fmt.Sprintf("it fails: %s at %s, failures: %d, and %s%s", a.LastFailedWAL, a.LastFailedTime.UTC().Format(time.RFC3339), a.FailedCount, last, waiting), next)
	case h.Ready > manyReady:
		l.say(checkArchiver, Warning, fmt.Sprintf("it does not keep up: files that wait: %d", h.Ready), "see how long archive_command takes; the disk of pg_wal fills up")
	case a.LastArchivedTime.IsZero():
		l.ok(checkArchiver, "it had nothing to do yet%s", waiting)
	default:
		l.ok(checkArchiver, "%s was archived %s ago%s", a.LastArchivedWAL, catalog.Ago(h.Now.Sub(a.LastArchivedTime)), waiting)
	}
}

func (l *look) pageWrites(h postgres.Health) {
	switch {
	case h.FullPageWrites:
		l.ok(checkPageWrites, "on")
	case h.InRecovery:
		l.say(checkPageWrites, Critical, "off: PostgreSQL refuses a backup from a standby then", "set full_page_writes = on, on the primary too")
	default:
		l.say(checkPageWrites, Warning, "off: pages that are torn by a crash stay torn, in backups from a standby too", "set full_page_writes = on")
	}
}

func (l *look) standby(h postgres.Health) {
	switch {
	case !h.InRecovery:
		l.ok(checkStandby, "this is a primary")
	case !h.RestoreCommand:
		l.say(checkStandby, Warning, "it has no restore_command: when it falls behind what its primary keeps, it has to be made anew", "set restore_command = 'pgseal wal-restore URL SERVER %f %p'")
	default:
		l.ok(checkStandby, "it has a restore_command")
	}
}
