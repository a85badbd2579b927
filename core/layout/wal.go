package layout

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in the WAL, printed as PostgreSQL does: "0/3000028".
type LSN uint64

func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) }

// MarshalText writes the printed form.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseLSN reads.
func (l *LSN) UnmarshalText(b []byte) (err error) {
	*l, err = ParseLSN(string(b))
	return err
}

// ParseLSN reads "0/3000028". ErrName otherwise.
func ParseLSN(s string) (LSN, error) {
	high, low, ok := strings.Cut(s, "/")
	h, err1 := strconv.ParseUint(high, 16, 32)
	l, err2 := strconv.ParseUint(low, 16, 32)
	if !ok || err1 != nil || err2 != nil || high[0] == '+' || low[0] == '+' {
		return 0, fmt.Errorf("LSN %.40q: %w: it looks like 0/3000028", s, ErrName)
	}
	return LSN(h<<32 | l), nil
}

// SegmentSize tells whether n is a WAL segment size that PostgreSQL allows: a
// power of two from 1 MiB to 1 GiB.
func SegmentSize(n int64) bool { return n >= 1<<20 && n <= 1<<30 && n&(n-1) == 0 }

// Segment is one WAL segment: a timeline and a number counted from LSN 0.
type Segment struct {
	Timeline uint32
	Number   uint64
}

// SegmentAt is the segment that holds the byte at lsn.
func SegmentAt(timeline uint32, lsn LSN, size int64) Segment {
	return Segment{timeline, uint64(lsn) / uint64(size)}
}

// Name is the segment's file name for this segment size.
func (s Segment) Name(size int64) string {
	perLog := uint64(1<<32) / uint64(size)
	return fmt.Sprintf("%08X%08X%08X", s.Timeline, s.Number/perLog, s.Number%perLog)
}

// Start is the LSN of the segment's first byte.
func (s Segment) Start(size int64) LSN { return LSN(s.Number * uint64(size)) }

// ParseSegment reads a segment's file name. ErrName when it is none for this
// segment size.
func ParseSegment(name string, size int64) (Segment, error) {
	perLog := uint64(1<<32) / uint64(size)
	if len(name) == 24 && isHex(name) {
		tli, _ := strconv.ParseUint(name[:8], 16, 32)
		log, _ := strconv.ParseUint(name[8:16], 16, 32)
		seg, _ := strconv.ParseUint(name[16:], 16, 32)
		if seg < perLog && tli > 0 {
			return Segment{uint32(tli), log*perLog + seg}, nil
		}
	}
	return Segment{}, fmt.Errorf("WAL segment %.40q: %w", name, ErrName)
}

// WALKind is what the name of a file in the WAL archive says it is.
type WALKind int

// The four kinds that archive_command is called for, and what is none of them.
const (
	NotWAL       WALKind = iota
	WALSegment           // 24 hex digits
	WALPartial           // <segment>.partial
	WALHistory           // 8 hex digits and .history
	WALBackupEnd         // <segment>.<8 hex digits>.backup
)

// KindOfWAL classifies a file name as PostgreSQL gives it, without any
// compression's suffix.
func KindOfWAL(name string) WALKind {
	stem, ext, _ := strings.Cut(name, ".")
	switch {
	case !isHex(stem):
		return NotWAL
	case len(stem) == 8 && ext == "history":
		return WALHistory
	case len(stem) != 24:
		return NotWAL
	case ext == "" && len(name) == 24:
		return WALSegment
	case ext == "partial":
		return WALPartial
	case len(ext) == len("00000028.backup") && strings.HasSuffix(ext, ".backup") && isHex(ext[:8]):
		return WALBackupEnd
	}
	return NotWAL
}

// isHex: upper case only, as PostgreSQL names its files.
func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return s != ""
}
