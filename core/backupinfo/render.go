package backupinfo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// timeFormat: the offset is that of the PostgreSQL session, as in barman.
const timeFormat = "2006-01-02 15:04:05.000000-07:00"

// Render writes i as barman 3.4 would, comments first. The bytes depend on
// nothing but i. ErrFormat when a value cannot be said in this syntax: a path
// with a line break, or one with a blank at either end.
func Render(i Info) ([]byte, error) {
	var b strings.Builder
	for _, c := range i.Comments {
		if !plain(c) {
			return nil, fmt.Errorf("%w: comment %q cannot stand on one line", ErrFormat, c)
		}
		b.WriteString("# " + c + "\n")
	}
	for _, f := range fields(i) {
		if f.value == "" {
			if f.name == "backup_name" { // barman leaves it out
				continue
			}
			f.value = "None"
		} else if !plain(f.value) || f.raw && f.value == "None" {
			return nil, fmt.Errorf("%w: %s=%q cannot be said in barman's syntax", ErrFormat, f.name, f.value)
		}
		b.WriteString(f.name + "=" + f.value + "\n")
	}
	return []byte(b.String()), nil
}

// plain tells whether a reader gets s back from a line of its own.
func plain(s string) bool {
	return s == strings.TrimSpace(s) && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

type field struct {
	name, value string
	raw         bool // a string that is written as it is
}

// fields is the set of barman 3.4, in its order.
func fields(i Info) []field {
	return []field{
		{"backup_label", quoted(i.Label), false},
		{"backup_name", i.BackupName, true},
		{"begin_offset", offset(i, i.BeginLSN > 0, uint64(i.BeginLSN)), false},
		{"begin_time", moment(i.BeginTime), false},
		{"begin_wal", i.BeginWAL(), false},
		{"begin_xlog", lsn(uint64(i.BeginLSN), i.BeginLSN.String()), false},
		{"compression", "", false},
		{"config_file", i.ConfigFile, true},
		{"copy_stats", stats(i.Stats), false},
		{"deduplicated_size", "", false},
		{"end_offset", offset(i, i.EndLSN > 0, uint64(i.EndLSN)), false},
		{"end_time", moment(i.EndTime), false},
		{"end_wal", i.EndWAL(), false},
		{"end_xlog", lsn(uint64(i.EndLSN), i.EndLSN.String()), false},
		{"error", i.Error, true},
		{"hba_file", i.HBAFile, true},
		{"ident_file", i.IdentFile, true},
		{"included_files", included(i.Included), false},
		{"mode", "", false},
		{"pgdata", i.PGData, true},
		{"server_name", i.ServerName, true},
		{"size", number(i.Size), false},
		{"status", i.Status, true},
		{"systemid", i.SystemID, true},
		{"tablespaces", tablespaces(i.Tablespaces), false},
		{"timeline", number(int64(i.Timeline)), false},
		{"version", number(int64(i.Version)), false},
		{"xlog_segment_size", number(i.SegmentSize), false},
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func lsn(n uint64, printed string) string {
	if n == 0 {
		return ""
	}
	return printed
}

func offset(i Info, known bool, n uint64) string {
	if !known || i.SegmentSize <= 0 {
		return ""
	}
	return strconv.FormatUint(n%uint64(i.SegmentSize), 10)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(timeFormat)
}

func stats(s *CopyStats) string {
	if s == nil {
		return ""
	}
	seconds := fmt.Sprintf("%d.%03d", s.Total.Milliseconds()/1000, s.Total.Milliseconds()%1000)
	return fmt.Sprintf("{'total_time': %s, 'number_of_workers': %d, 'copy_time': %s}", seconds, s.Workers, seconds)
}

func included(files []string) string {
	if len(files) == 0 {
		return ""
	}
	out := make([]string, len(files))
	for n, f := range files {
		out[n] = quote(f)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func tablespaces(ts []Tablespace) string {
	if len(ts) == 0 {
		return ""
	}
	ts = slices.Clone(ts)
	slices.SortFunc(ts, func(a, b Tablespace) int { return int(int64(a.OID) - int64(b.OID)) })
	out := make([]string, len(ts))
	for n, t := range ts {
		out[n] = fmt.Sprintf("(%s, %d, %s)", quote(t.Name), t.OID, quote(t.Location))
	}
	return "[" + strings.Join(out, ", ") + "]"
}
