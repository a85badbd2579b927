// Package walfile reads what stands inside the files of a WAL archive: the
// header of a segment's first page, and timeline history files.
package walfile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/layout"
)

// ErrFormat: these bytes are not what PostgreSQL writes there.
var ErrFormat = errors.New("not PostgreSQL's WAL")

// HeaderSize is the length of the long header that begins every segment.
const HeaderSize = 40

// Header is the long page header of a segment's first page
// (XLogLongPageHeaderData), as little-endian machines write it.
type Header struct {
	Magic       uint16
	Timeline    uint32 // of the page; an ancestor's in the segment a timeline forked in
	Address     layout.LSN
	SystemID    uint64
	SegmentSize int64
	BlockSize   int64
}

const longHeader = 0x0002 // XLP_LONG_HEADER

// magics are the page magics by major version, read off servers of these
// versions.
var magics = map[int]uint16{13: 0xD106, 14: 0xD10D, 15: 0xD110, 16: 0xD113, 17: 0xD116, 18: 0xD118}

// ParseHeader reads the first HeaderSize bytes of a segment. ErrFormat when
// they cannot be the beginning of one.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes, and a segment's header has %d", ErrFormat, len(b), HeaderSize)
	}
	le := binary.LittleEndian
	h := Header{
		Magic:       le.Uint16(b),
		Timeline:    le.Uint32(b[4:]),
		Address:     layout.LSN(le.Uint64(b[8:])),
		SystemID:    le.Uint64(b[24:]),
		SegmentSize: int64(le.Uint32(b[32:])),
		BlockSize:   int64(le.Uint32(b[36:])),
	}
	switch {
	case h.Magic>>8 != 0xD1 || le.Uint16(b[2:])&longHeader == 0:
		return Header{}, fmt.Errorf("%w: the first page has no WAL page header", ErrFormat)
	case !layout.SegmentSize(h.SegmentSize):
		return Header{}, fmt.Errorf("%w: segment size %d", ErrFormat, h.SegmentSize)
	case h.Timeline == 0:
		return Header{}, fmt.Errorf("%w: timeline 0", ErrFormat)
	}
	return h, nil
}

// Cluster is what a segment's header must agree with.
type Cluster struct {
	SystemID    uint64
	SegmentSize int64
	Major       int     // PostgreSQL's major version; one without a known magic is not held to any
	History     History // of the timeline that the segments belong to
}

// Check tells why h cannot begin segment s of cluster c, or nil. ErrFormat
// wrapped in words that name what differs.
func (h Header) Check(c Cluster, s layout.Segment) error {
	switch want := c.History.At(s.Timeline, s.Start(c.SegmentSize)); {
	case h.SystemID != c.SystemID:
		return fmt.Errorf("%w of this cluster: system identifier %d, not %d", ErrFormat, h.SystemID, c.SystemID)
	case h.SegmentSize != c.SegmentSize:
		return fmt.Errorf("%w of this cluster: segment size %d, not %d", ErrFormat, h.SegmentSize, c.SegmentSize)
	case h.Address != s.Start(c.SegmentSize):
		return fmt.Errorf("%w: the page is of address %s, not %s: another segment's content", ErrFormat, h.Address, s.Start(c.SegmentSize))
	case h.Timeline != want:
		return fmt.Errorf("%w: the page is of timeline %d, not %d", ErrFormat, h.Timeline, want)
	case magics[c.Major] != 0 && h.Magic != magics[c.Major]:
		return fmt.Errorf("%w of version %d: page magic %04X, not %04X", ErrFormat, c.Major, h.Magic, magics[c.Major])
	}
	return nil
}

// CheckFile holds a whole segment's file against the header of its first page,
// of which first are at least the first HeaderSize bytes. The page may be of an
// ancestor's timeline: the segment in which a timeline forks off begins with
// what its parent wrote.
func CheckFile(name string, size int64, first []byte) (Header, error) {
	h, err := ParseHeader(first)
	if err != nil {
		return h, err
	}
	s, err := layout.ParseSegment(name, h.SegmentSize)
	switch {
	case err != nil:
		return h, fmt.Errorf("%w where segments have %d bytes, as its header says", err, h.SegmentSize)
	case size != h.SegmentSize:
		return h, fmt.Errorf("%w: it has %d bytes, and its header says that segments have %d", ErrFormat, size, h.SegmentSize)
	case h.Address != s.Start(h.SegmentSize):
		return h, fmt.Errorf("%w: its first page is of address %s, and by its name it begins at %s", ErrFormat, h.Address, s.Start(h.SegmentSize))
	case h.Timeline > s.Timeline:
		return h, fmt.Errorf("%w: its first page is of timeline %d, and by its name it is of timeline %d", ErrFormat, h.Timeline, s.Timeline)
	}
	return h, nil
}
