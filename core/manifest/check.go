package manifest

import (
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/layout"
)

// Slack is how far a host's clock and its local time may stray from the
// store's: ids are local times without a zone, and zones reach from -12 to +14
// hours.
const Slack = 14 * time.Hour

const (
	maxText = 4096 // bytes of one text
	// maxTexts bounds all names and paths of included files and tablespaces: a
	// backup.info writes some bytes as four, and is read up to 1 MiB. entry is
	// what one of them takes besides.
	maxTexts = 200 << 10
	entry    = 32
	// maxCopy is ten years: far more, and the time could not be counted in
	// nanoseconds.
	maxCopy = 10 * 366 * 24 * time.Hour
)

// Check holds m against the server and id its key names and its fields against
// each other. Whatever passes can be rendered as a backup.info, names no key
// outside its own backup, and asks for a bounded amount of work. ErrFormat,
// with the field's name, otherwise.
func (m Manifest) Check(server, id string) error {
	if err := m.CheckFacts(server, id); err != nil {
		return err
	}
	return first(m.checkRange, m.checkTimes, m.checkObjects)
}

// CheckFacts is the part of Check that can fail before anything is copied: what
// the manifest says of the server and of itself. ErrFormat as Check.
func (m Manifest) CheckFacts(server, id string) error {
	return first(func() error { return m.checkIdentity(server, id) }, m.checkCluster, m.checkTablespaces)
}

func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return fmt.Errorf("manifest: %w", err)
		}
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", field, ErrFormat, fmt.Sprintf(format, args...))
}

func (m Manifest) checkIdentity(server, id string) error {
	switch {
	case m.Format != Format:
		return bad("format", "%d, and this finalizer knows %d", m.Format, Format)
	case m.SealFormat != SealFormat:
		return bad("seal_format", "%d, and this finalizer knows %d", m.SealFormat, SealFormat)
	case m.Server != server:
		return bad("server", "%.130q, but it stands under %q", m.Server, server)
	case m.BackupID != id:
		return bad("backup_id", "%.40q, but it stands under %q", m.BackupID, id)
	case len(m.Uploader) > 100 || m.Uploader == "":
		return bad("uploader", "1 to 100 characters")
	case m.CorruptPages < 0:
		return bad("corrupt_pages", "out of range")
	case m.Workers < 0 || m.Workers > 10_000 || m.CopyMilliseconds < 0 || m.CopyMilliseconds > maxCopy.Milliseconds():
		return bad("copy_ms, workers", "out of range")
	}
	return line(map[string]string{"uploader": m.Uploader, "backup_name": m.BackupName})
}

// line holds texts that become a line of backup.info to what fits on one.
func line(texts map[string]string) error {
	for name, s := range texts {
		switch {
		case len(s) > maxText:
			return bad(name, "%d bytes long", len(s))
		case !utf8.ValidString(s) || strings.ContainsFunc(s, unwanted):
			return bad(name, "%.80q holds a character that no line can", s)
		case s != strings.TrimSpace(s):
			return bad(name, "%.80q has a blank at an end", s)
		case s == "None":
			return bad(name, "barman reads None as nothing")
		}
	}
	return nil
}

func unwanted(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

func (m Manifest) checkCluster() error {
	c := m.Cluster
	switch {
	case c.Version < 130000 || c.Version > 999999:
		return bad("version", "%d: PostgreSQL 13 and later", c.Version)
	case c.SystemID == 0:
		return bad("system_id", "0")
	case c.Timeline == 0:
		return bad("timeline", "0")
	case !layout.SegmentSize(c.SegmentSize):
		return bad("wal_segment_size", "%d is none of PostgreSQL's", c.SegmentSize)
	case !path.IsAbs(c.PGData):
		return bad("pgdata", "%.80q is not absolute", c.PGData)
	case len(c.Included) > 1000:
		return bad("included_files", "%d of them", len(c.Included))
	}
	texts := 0
	for _, f := range c.Included {
		if len(f) > maxText || !utf8.ValidString(f) {
			return bad("included_files", "%.80q", f)
		}
		texts += len(f) + entry
	}
	for _, t := range c.Tablespaces {
		texts += len(t.Name) + len(t.Location) + entry
	}
	if texts > maxTexts {
		return bad("included_files, tablespaces", "%d bytes of names and paths; at most %d", texts, maxTexts)
	}
	return line(map[string]string{"pgdata": c.PGData, "config_file": c.ConfigFile, "hba_file": c.HBAFile, "ident_file": c.IdentFile})
}

func (m Manifest) checkRange() error {
	label, err := ParseLabel(m.Label)
	c := m.Cluster
	switch {
	case err != nil:
		return fmt.Errorf("backup_label: %w", err)
	case m.Begin.LSN == 0 || m.End.LSN <= m.Begin.LSN:
		return bad("end.lsn", "%s is not after %s", m.End.LSN, m.Begin.LSN)
	case label.StartLSN != m.Begin.LSN:
		return bad("begin.lsn", "%s, but backup_label says %s", m.Begin.LSN, label.StartLSN)
	case label.StartTimeline != c.Timeline:
		return bad("timeline", "%d, but backup_label says %d", c.Timeline, label.StartTimeline)
	case label.CheckpointLSN > m.End.LSN:
		return bad("end.lsn", "%s is before the checkpoint %s in backup_label", m.End.LSN, label.CheckpointLSN)
	case label.StartWALFile != m.FirstSegment().Name(c.SegmentSize):
		return bad("begin.lsn", "it is in %s, but backup_label says %s", m.FirstSegment().Name(c.SegmentSize), label.StartWALFile)
	case m.End.LSN-m.Begin.LSN > MaxSpan:
		return bad("end.lsn", "the backup would need the WAL from %s to %s, and at most %d bytes are checked", m.Begin.LSN, m.End.LSN, uint64(MaxSpan))
	case m.LastSegment().Number-m.FirstSegment().Number >= MaxSegments:
		return bad("end.lsn", "the backup would need %d WAL segments, and at most %d are checked", m.LastSegment().Number-m.FirstSegment().Number+1, MaxSegments)
	}
	return nil
}

// FirstSegment and LastSegment bound the WAL without which the backup cannot be
// restored. The last one holds the byte before the end: at a boundary, the next
// segment is none that PostgreSQL needs, and an idle server never archives it.
func (m Manifest) FirstSegment() layout.Segment {
	return layout.SegmentAt(m.Cluster.Timeline, m.Begin.LSN, m.Cluster.SegmentSize)
}
func (m Manifest) LastSegment() layout.Segment {
	return layout.SegmentAt(m.Cluster.Timeline, m.End.LSN-1, m.Cluster.SegmentSize)
}

func (m Manifest) checkTimes() error {
	id, err := layout.ParseBackupID(m.BackupID)
	switch {
	case err != nil:
		return bad("backup_id", "%v", err)
	case m.Begin.Time.IsZero() || m.End.Time.Before(m.Begin.Time):
		return bad("end.time", "%s is before %s", m.End.Time, m.Begin.Time)
	case apart(id, m.Begin.Time) > Slack+time.Hour: // the id is claimed before the checkpoint is waited for
		return bad("begin.time", "%s is not the day of backup id %s", m.Begin.Time, m.BackupID)
	}
	for name, t := range map[string]time.Time{"begin.time": m.Begin.Time, "end.time": m.End.Time} {
		if !t.Equal(t.Truncate(time.Microsecond)) || t.Year() < 2000 || t.Year() > 9999 {
			return bad(name, "%s", t)
		}
	}
	if m.RetainUntil != nil && m.RetainUntil.Year() > 9999 {
		return bad("retain_until", "%s", m.RetainUntil)
	}
	return nil
}

func apart(a, b time.Time) time.Duration { return a.Sub(b).Abs() }

func (m Manifest) checkTablespaces() error {
	oids, names := map[uint32]bool{}, map[string]bool{}
	for _, t := range m.Cluster.Tablespaces {
		switch {
		case t.OID == 0 || oids[t.OID]:
			return bad("tablespaces", "oid %d is none, or stands there twice", t.OID)
		case t.Name == "" || len(t.Name) > 255 || names[t.Name] || !utf8.ValidString(t.Name):
			return bad("tablespaces", "name %.80q is none, or stands there twice", t.Name)
		case len(t.Location) > maxText || !path.IsAbs(t.Location) || path.Clean(t.Location) != t.Location ||
			!utf8.ValidString(t.Location) || strings.ContainsFunc(t.Location, unwanted):
			return bad("tablespaces", "location %.80q is not a clean absolute path", t.Location)
		}
		oids[t.OID], names[t.Name] = true, true
	}
	return nil
}

func (m Manifest) checkObjects() error {
	if len(m.Objects) > MaxObjects {
		return bad("objects", "%d of them; at most %d", len(m.Objects), MaxObjects)
	}
	mains := map[string]int{layout.Data: 0}
	for _, t := range m.Cluster.Tablespaces {
		mains[fmt.Sprint(t.OID)] = 0
	}
	type place struct {
		base   string
		number int
	}
	seen := map[place]bool{}
	for _, o := range m.Objects {
		a, err := layout.ParseArchive(o.Name)
		if err != nil {
			return bad("objects", "%v", err)
		}
		if _, known := mains[a.Base]; !known {
			return bad("objects", "%s belongs to no tablespace of the list", o.Name)
		}
		if p := (place{a.Base, a.Number}); seen[p] {
			return bad("objects", "%s stands there twice, or in two compressions", o.Name)
		} else {
			seen[p] = true
		}
		if a.Number == 0 {
			mains[a.Base]++
		}
		if o.Size <= 0 || !isHex(o.SHA256, 32) || !isHex(o.CRC32C, 4) || len(o.ETag) > 200 || len(o.Version) > 1024 ||
			strings.ContainsFunc(o.ETag+o.Version, unwanted) {
			return bad("objects", "%s: size, sha256, crc32c, etag or version", o.Name)
		}
	}
	for base, n := range mains {
		if n == 0 {
			return bad("objects", "%s.tar is missing", base)
		}
	}
	return nil
}

func isHex(s string, bytes int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == bytes && s == strings.ToLower(s)
}
