package pgdata

import (
	"encoding/binary"
	"path"
	"regexp"
	"strconv"

	"github.com/pgseal/pgseal/core/layout"
)

// Pages say how the pages of relations are verified while they are read.
type Pages struct {
	// Size of a page in bytes, and how many of them a segment of a relation has
	// (the settings block_size and segment_size).
	Size    int
	Segment uint32
	// Start is where the backup began: pages that were written since may be torn,
	// and WAL replay writes them anew.
	Start layout.LSN
}

// inRelations are the directories of relations: shared ones, those of a database,
// those in a tablespace's archive, and those of a tablespace within PGDATA.
var inRelations = regexp.MustCompile(`^(global|base/[0-9]+|(pg_tblspc/[0-9]+/)?PG_[0-9]+_[0-9]+/[0-9]+)$`)

// relationSegment tells whether a file consists of checksummed pages, and the
// number of its segment. name is the tar name.
func relationSegment(name string) (segment uint32, ok bool) {
	m := relation.FindStringSubmatch(path.Base(name))
	if m == nil || !inRelations.MatchString(path.Dir(name)) {
		return 0, false
	}
	if m[4] != "" {
		n, err := strconv.ParseUint(m[4][1:], 10, 32)
		if err != nil {
			return 0, false
		}
		segment = uint32(n)
	}
	return segment, true
}

// pages verifies a file that is read from its beginning to its end.
type pages struct {
	Pages
	segment uint32
	next    uint32 // the page that follows, counted in this file
	partial []byte // of that page, what was read so far
	reread  func(p []byte, at int64) error
	corrupt int64
}

// write takes what was read.
func (v *pages) write(p []byte) {
	if len(v.partial) > 0 {
		n := min(v.Size-len(v.partial), len(p))
		v.partial = append(v.partial, p[:n]...)
		p = p[n:]
		if len(v.partial) < v.Size {
			return
		}
		v.verify(v.partial)
		v.partial = v.partial[:0]
	}
	for ; len(p) >= v.Size; p = p[v.Size:] {
		v.verify(p[:v.Size])
	}
	v.partial = append(v.partial, p...)
}

// verify counts a page that is neither right nor excused. The server may have
// been writing it, so it is read once more, as pg_basebackup does.
func (v *pages) verify(page []byte) {
	number := v.next
	v.next++
	if v.sound(page, number) {
		return
	}
	again := make([]byte, v.Size)
	if err := v.reread(again, int64(number)*int64(v.Size)); err == nil && v.sound(again, number) {
		return
	}
	v.corrupt++
}

// Offsets in a page's header (storage/bufpage.h).
const (
	pageChecksum = 8
	pageUpper    = 14
)

func (v *pages) sound(page []byte, number uint32) bool {
	order := binary.NativeEndian
	if order.Uint16(page[pageUpper:]) == 0 { // new, and not written yet
		return true
	}
	if lsn := layout.LSN(uint64(order.Uint32(page))<<32 | uint64(order.Uint32(page[4:]))); lsn >= v.Start {
		return true
	}
	return order.Uint16(page[pageChecksum:]) == checksumPage(page, v.segment*v.Segment+number)
}

// checksumPage is pg_checksum_page of storage/checksum_impl.h: 32 sums of every
// 32nd word side by side, by a variant of FNV-1a, over the page with its own
// checksum as zero, and then the number of the block in its relation.
func checksumPage(page []byte, block uint32) uint16 {
	const (
		sums  = 32
		prime = 16777619
	)
	s := [sums]uint32{
		0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
		0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
		0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
		0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
	}
	order := binary.NativeEndian
	for at := 0; at+4*sums <= len(page); at += 4 * sums {
		row := page[at : at+4*sums : at+4*sums]
		for j := range sums {
			word := order.Uint32(row[4*j:])
			if at == 0 && j == pageChecksum/4 {
				var without [4]byte
				copy(without[2:], row[pageChecksum+2:])
				word = order.Uint32(without[:])
			}
			t := s[j] ^ word
			s[j] = t*prime ^ t>>17
		}
	}
	var result uint32
	for j := range sums {
		for range 2 { // two more rounds of zeros
			s[j] = s[j]*prime ^ s[j]>>17
		}
		result ^= s[j]
	}
	return uint16((result^block)%65535 + 1)
}
