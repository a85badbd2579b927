package catalog_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

// segments stores empty files under the names of segments; status looks at names only.
func (w *world) segments(timeline uint32, from, to uint64) {
	w.t.Helper()
	for n := from; n <= to; n++ {
		w.create(layout.WAL(server, layout.Segment{Timeline: timeline, Number: n}.Name(settest.Size), ""), "x")
	}
}

// The set of newWorld's first backup needs the segments 3 and 4; a directory of wals/ has 4096 of 1 MiB.
func TestHowFarARestoreCanGo(t *testing.T) {
	const dir = 4096
	for name, tc := range map[string]struct {
		then    func(w *world)
		segment string // of the window; "" for none
		gap     string
		newest  string
	}{
		"to the backup's own end": {then: func(*world) {}, segment: "000000010000000000000004", newest: "000000010000000000000004"},
		"along its timeline":      {then: func(w *world) { w.segments(1, 5, 9) }, segment: "000000010000000000000009", newest: "000000010000000000000009"},
		"into the next directory": {then: func(w *world) { w.segments(1, dir, dir+1) }, segment: "000000010000000100000001", newest: "000000010000000100000001"},
		"not past a missing segment of the last directory": {then: func(w *world) { w.segments(1, 5, 6); w.segments(1, 8, 9) },
			gap: "000000010000000000000007", newest: "000000010000000000000009"},
		"not past a missing directory": {then: func(w *world) { w.segments(1, 2*dir, 2*dir) },
			gap: "000000010000000100000000", newest: "000000010000000200000000"},
		"not past the missing begin of a directory": {then: func(w *world) { w.segments(1, dir+1, dir+1) },
			gap: "000000010000000100000000", newest: "000000010000000100000001"},
		"along a timeline that left its own later": {then: func(w *world) {
			w.segments(1, 5, 6)
			w.segments(2, 6, 8)
			w.create(layout.WAL(server, layout.History(2), ""), "1\t0/680000\tno recovery target specified\n")
		}, segment: "000000020000000000000008", newest: "000000020000000000000008"},
		"along a compressed history": {then: func(w *world) {
			w.segments(2, 5, 8)
			var b bytes.Buffer
			z, err := codec.Gzip.NewWriter(&b, codec.Default)
			if err != nil {
				w.t.Fatal(err)
			}
			_, _ = z.Write([]byte("1\t0/500000\tno recovery target specified\n"))
			if err := z.Close(); err != nil {
				w.t.Fatal(err)
			}
			w.create(layout.WAL(server, layout.History(2), ".gz"), b.String())
		}, segment: "000000020000000000000008", newest: "000000020000000000000008"},
		"not along a timeline that left before the backup ended": {then: func(w *world) {
			w.segments(1, 5, 6)
			w.segments(2, 3, 8)
			w.create(layout.WAL(server, layout.History(2), ""), "1\t0/380000\tno recovery target specified\n")
		}, segment: "000000010000000000000006", newest: "000000020000000000000008"},
		"not along a timeline without a history": {then: func(w *world) { w.segments(2, 5, 8) },
			segment: "000000010000000000000004", newest: "000000020000000000000008"},
		"whatever else is named there": {then: func(w *world) {
			w.create(server+"/wals/junk/000000010000000000000099", "x")
			w.create(server+"/wals/0000000100000000/000000010000000000000005.partial", "x")
			w.create(server+"/wals/0000000100000000/000000010000000000000004.00000028.backup", "x")
			w.create(server+"/wals/0000000100000000/00000001000000000000ZZZZ", "x")
			w.create(server+"/wals/0000000100000000/000000010000000700000005", "x")
			w.create(server+"/wals/0000000100000003/README", "x")
		}, segment: "000000010000000000000004", newest: "000000010000000000000004"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.seal(finalizer.Config{})
			w.at("20T04:00")
			tc.then(w)
			w.at("20T05:00")
			c := w.read()
			b := of(t, c, s.ID())
			if b.Window.Segment != tc.segment || b.Window.Gap != tc.gap || c.WAL == nil || c.WAL.Segment != tc.newest {
				t.Errorf("window %+v, newest %+v, notes %q", b.Window, c.WAL, c.Notes)
			}
			if (b.Window.To == nil) != (tc.gap != "") || (tc.gap != "") != b.NeedsAttention() {
				t.Errorf("%+v", b)
			}
			if tc.gap != "" && !strings.Contains(table(t, c), "WAL is missing from "+tc.gap) {
				t.Error(table(t, c))
			}
		})
	}
}

func TestWALThatIsGoneAltogether(t *testing.T) {
	w := newWorld(t)
	s := w.seal(finalizer.Config{})
	w.lose(server + "/wals/0000000100000000")
	c := w.read()
	if b := of(t, c, s.ID()); b.Window.To != nil || c.WAL != nil || c.Window != nil {
		t.Errorf("%+v %+v", b.Window, c.WAL)
	}
}

func TestAHistoryThatIsNoneIsNoted(t *testing.T) {
	w := newWorld(t)
	w.seal(finalizer.Config{})
	w.segments(2, 5, 5)
	w.create(layout.WAL(server, layout.History(2), ""), "\x1b[2Jnonsense")
	c := w.read()
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "history of timeline 2") || strings.Contains(c.Notes[0], "\x1b") {
		t.Errorf("%q", c.Notes)
	}
}

// The archive of a busy server has thousands of directories: only the last ones are listed.
func TestOnlyTheEndOfTheArchiveIsListed(t *testing.T) {
	w := newWorld(t)
	w.seal(finalizer.Config{})
	for log := range uint64(30) {
		w.segments(1, 4096*log+5, 4096*log+5)
	}
	counted := &counter{Bucket: w.vault}
	w.vault = counted
	w.read()
	if n := counted.below(server + "/wals/"); n != 2 { // the directories, and the last one
		t.Errorf("%d listings of the archive: %v", n, fmt.Sprint(counted.calls))
	}
}
