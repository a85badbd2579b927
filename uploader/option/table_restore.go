package option

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

// recovery holds the options of what brings backups and WAL back.
var recovery = []Option{
	{
		Name: "tablespace", Kind: List, Metavar: "NAME:LOCATION", Check: checkTablespace, in: restore, Group: groupRecovery,
		Help: "where a tablespace goes (default: where it was); may be repeated",
	}, {
		Name: "jobs", Short: "J", Kind: Int, Min: 1, Metavar: "JOBS", in: restore | drill, Group: groupRecovery, Own: true,
		Help: "how many archives to fetch and unpack at a time (default: one for each processor)",
	}, {
		Name: "verify-only", Kind: Bool, in: restore, Group: groupRecovery, Own: true,
		Help: "fetch and verify everything, and write nothing",
	}, {
		Name: "no-sync", Kind: Bool, in: restore, Group: groupRecovery, Own: true,
		Help: "do not wait until everything is on disk, as for a test",
	}, {
		Name: "recovery", Kind: Bool, Negatable: true, in: restore, Group: groupRecovery, Own: true,
		Help: "write what PostgreSQL needs to recover (default: unless called as barman-cloud-restore)",
	}, {
		Name: "standby", Kind: Bool, in: restore, Group: groupRecovery, Own: true,
		Help: "make a standby of it, which follows the archive",
	}, {
		Name: "resume-archiving", Kind: Bool, in: restore, Group: groupRecovery, Own: true,
		Help: "leave archive_mode as it was: only for the server that takes the old one's place",
	}, {
		Name: "spool-directory", Env: "PGSEAL_SPOOL_DIRECTORY", Metavar: "DIR", in: walRestore | restore, Group: groupRecovery, Own: true,
		Help: "a directory of the server's user, outside of the data directory, for segments that wal-restore fetches ahead (default: it fetches none)",
	}, {
		Name: "target-time", Metavar: "TIME", Check: checkTargetTime, in: restore, Group: groupTarget,
		Help: "recover to this time, as '2026-11-23 12:00:00+01'; without an offset it is this machine's time zone",
	}, {
		Name: "target-lsn", Metavar: "LSN", Check: checkTargetLSN, in: restore, Group: groupTarget,
		Help: "recover to this place in the WAL, as 0/3000028",
	}, {
		Name: "target-xid", Metavar: "XID", Check: checkTargetXID, in: restore, Group: groupTarget, Own: true,
		Help: "recover to this transaction",
	}, {
		Name: "target-name", Metavar: "NAME", Check: checkTargetName, in: restore, Group: groupTarget, Own: true,
		Help: "recover to this restore point (pg_create_restore_point)",
	}, {
		Name: "target-immediate", Kind: Bool, in: restore, Group: groupTarget, Own: true,
		Help: "recover to the end of the backup and no further",
	}, {
		Name: "target-exclusive", Kind: Bool, in: restore, Group: groupTarget, Own: true,
		Help: "stop just before the target, not just after it",
	}, {
		Name: "target-action", Kind: Choice, Choices: []string{"pause", "promote", "shutdown"}, Default: "pause", in: restore, Group: groupTarget, Own: true,
		Help: "what PostgreSQL does at the target: pause lets you look first",
	}, {
		Name: "target-tli", Aliases: []string{"target-timeline"}, Metavar: "TIMELINE", Check: checkTimeline, in: restore, Group: groupTarget,
		Help: "the timeline to follow: latest, current (the backup's own) or a number (default: latest)",
	}, {
		Name: "no-partial", Kind: Bool, in: walRestore, Group: groupRecovery,
		Help: "do not take a segment's .partial where the whole segment is not there",
	}, {
		Name: "prefetch", Kind: Int, Min: 0, Metavar: "COUNT", Default: "8", in: walRestore, Group: groupRecovery, Own: true,
		Help: "with --spool-directory: how many segments to fetch ahead at a time, 64 at most",
	}, {
		Name: "retry-timeout", Kind: Duration, Metavar: "DURATION", Default: "5m", in: walRestore, Group: groupRecovery, Own: true,
		Help: "how long to try again what cannot be read; on a standby half a minute at most, as PostgreSQL asks again itself",
	},
}

func checkTablespace(s string) error {
	if name, location, ok := strings.Cut(s, ":"); !ok || name == "" || !strings.HasPrefix(location, "/") {
		return errors.New("write NAME:LOCATION, with an absolute path")
	}
	return nil
}

// timeFormats are those of PostgreSQL's timestamps and of RFC 3339.
var timeFormats = []string{
	"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02",
}

// ParseTargetTime reads a time to recover to. Without an offset it is a time of the local zone, as for PostgreSQL it
// would be one of the server's.
func ParseTargetTime(s string) (time.Time, error) {
	for _, format := range timeFormats {
		if t, err := time.ParseInLocation(format, strings.Replace(s, " +", "+", 1), time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("'%s' is no time: write '2026-11-23 12:00:00+01:00'", s)
}

func checkTargetTime(s string) error {
	_, err := ParseTargetTime(s)
	return err
}

func checkTargetLSN(s string) error {
	_, err := layout.ParseLSN(s)
	return err
}

var (
	xid      = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	timeline = regexp.MustCompile(`^(latest|current|[1-9][0-9]{0,8})$`)
)

func checkTargetXID(s string) error {
	if !xid.MatchString(s) {
		return fmt.Errorf("'%s' is no transaction id", s)
	}
	return nil
}

// checkTargetName: PostgreSQL's restore points have up to 63 bytes (MAXFNAMELEN - 1), and a setting stands on one line.
func checkTargetName(s string) error {
	if s == "" || len(s) > 63 || strings.ContainsAny(s, "\n\r\x00") {
		return errors.New("a restore point's name has 1 to 63 bytes")
	}
	return nil
}

func checkTimeline(s string) error {
	if !timeline.MatchString(s) {
		return fmt.Errorf("'%s' is no timeline: write latest, current or a number", s)
	}
	return nil
}
