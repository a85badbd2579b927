package walfile_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

const size = 16 << 20

func page(h walfile.Header) []byte {
	b := make([]byte, walfile.HeaderSize)
	le := binary.LittleEndian
	le.PutUint16(b, h.Magic)
	le.PutUint16(b[2:], 2)
	le.PutUint32(b[4:], h.Timeline)
	le.PutUint64(b[8:], uint64(h.Address))
	le.PutUint64(b[24:], h.SystemID)
	le.PutUint32(b[32:], uint32(h.SegmentSize))
	le.PutUint32(b[36:], uint32(h.BlockSize))
	return b
}

func good() walfile.Header {
	return walfile.Header{Magic: 0xD110, Timeline: 2, Address: 0x5000000, SystemID: 77, SegmentSize: size, BlockSize: 8192}
}

func TestAHeaderMustBeOfItsSegment(t *testing.T) {
	c := walfile.Cluster{SystemID: 77, SegmentSize: size, Major: 15, History: walfile.History{{1, 0x4000100}}}
	s := layout.Segment{Timeline: 2, Number: 5}
	tests := []struct {
		name   string
		change func(*walfile.Header)
		want   string
	}{
		{"as PostgreSQL wrote it", func(*walfile.Header) {}, ""},
		{"another cluster's", func(h *walfile.Header) { h.SystemID = 78 }, "system identifier"},
		{"another segment's", func(h *walfile.Header) { h.Address += size }, "another segment"},
		{"another timeline's", func(h *walfile.Header) { h.Timeline = 1 }, "timeline 1"},
		{"another segment size", func(h *walfile.Header) { h.SegmentSize *= 2 }, "segment size"},
		{"another major version's", func(h *walfile.Header) { h.Magic = 0xD113 }, "magic"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := good()
			test.change(&h)
			parsed, err := walfile.ParseHeader(page(h))
			if err != nil || parsed != h {
				t.Fatal(parsed, err)
			}
			err = parsed.Check(c, s)
			if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, walfile.ErrFormat) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestTheSegmentOfAForkBeginsWithItsParentsPage(t *testing.T) {
	c := walfile.Cluster{SystemID: 77, SegmentSize: size, History: walfile.History{{1, 0x5000100}}}
	h := good()
	h.Timeline = 1
	if err := h.Check(c, layout.Segment{Timeline: 2, Number: 5}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoHeader(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 8192), "short": page(good())[:39],
		"text": []byte(strings.Repeat("hello ", 10)),
	} {
		if _, err := walfile.ParseHeader(b); !errors.Is(err, walfile.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHistoryFiles(t *testing.T) {
	h, err := walfile.ParseHistory(3, []byte("1\t0/5000100\tno recovery target specified\n\n2\t0/7000000\tbefore 2026\n"))
	if err != nil || len(h) != 2 || h.Begin() != 0x7000000 {
		t.Fatal(h, err)
	}
	for lsn, want := range map[layout.LSN]uint32{0: 1, 0x50000FF: 1, 0x5000100: 2, 0x6FFFFFF: 2, 0x7000000: 3} {
		if got := h.At(3, lsn); got != want {
			t.Errorf("%s is of timeline %d, not %d", lsn, got, want)
		}
	}
	for _, bad := range []string{"", "x", "1", "1\tx", "3\t0/1\t", "0\t0/1", "2\t0/2\t\n1\t0/3\t", "1\t0/5\t\n2\t0/4\t", strings.Repeat("#", walfile.MaxHistory+1)} {
		if h, err := walfile.ParseHistory(3, []byte(bad)); !errors.Is(err, walfile.ErrFormat) {
			t.Errorf("%.20q: %v %v", bad, h, err)
		}
	}
}

func FuzzWALFiles(f *testing.F) {
	f.Add(page(good()))
	f.Add([]byte("1\t0/5000100\tno recovery target specified\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := walfile.ParseHeader(b); err == nil {
			h.Check(walfile.Cluster{SegmentSize: size}, layout.Segment{Timeline: 1})
		}
		if h, err := walfile.ParseHistory(9, b); err == nil && h.At(9, h.Begin()) != 9 {
			t.Error(h)
		}
	})
}
