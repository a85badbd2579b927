package walchain_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

// size is large, so that a directory has four segments.
const size = 1 << 30

type place struct {
	t     *testing.T
	store *membucket.Store
	mu    sync.Mutex
	calls []membucket.Call
}

func newPlace(t *testing.T) *place {
	return &place{t: t, store: membucket.New(membucket.Options{URL: "mem://vault", Now: time.Now})}
}

func (p *place) create(key, body string) {
	p.t.Helper()
	if _, err := p.store.Bucket().Create(p.t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// segments stores those from one number to another.
func (p *place) segments(timeline uint32, from, to uint64) {
	p.t.Helper()
	for n := from; n <= to; n++ {
		p.create(layout.WAL("main", layout.Segment{Timeline: timeline, Number: n}.Name(size), ".gz"), "x")
	}
}

func (p *place) archive() *walchain.Archive {
	return &walchain.Archive{
		Vault: p.store.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.calls = append(p.calls, c)
			return membucket.Fault{}
		}, false), Server: "main", Size: size,
		Decompress: func(string, io.Reader) (io.ReadCloser, error) { return nil, errors.New("none") },
	}
}

// backup is one on timeline 1 that needs the segments from first to last.
func backup(first, last uint64) walchain.Backup {
	return walchain.Backup{Timeline: 1, Begin: layout.LSN(first*size + 40), End: layout.LSN(last*size + 80)}
}

func (p *place) check(a *walchain.Archive, b walchain.Backup) walchain.Report {
	p.t.Helper()
	r, err := a.Check(p.t.Context(), b)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func TestEachDirectoryIsListedOnceForAllBackups(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 40)
	a := p.archive()
	for _, b := range []walchain.Backup{backup(30, 31), backup(20, 21), backup(5, 9)} {
		if r := p.check(a, b); len(r.Problems) > 0 || r.Tip.Number != 40 {
			t.Errorf("%+v", r)
		}
	}
	lists := map[string]int{}
	for _, c := range p.calls {
		if c.Op == "versions" {
			lists[c.Key]++
		}
	}
	for key, n := range lists { // once more where a later backup needs the objects
		if n > 2 {
			t.Errorf("%s was listed %d times", key, n)
		}
	}
	if len(lists) != 10 {
		t.Errorf("%d directories were listed, of 11 that are there: those before the oldest backup need not be", len(lists))
	}
}

func TestTheNeededSegmentsAreGivenThoughTheirDirectoryIsKnown(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 10)
	a := p.archive()
	for _, b := range []walchain.Backup{backup(1, 2), backup(2, 6), backup(1, 1)} {
		r := p.check(a, b)
		first, last := uint64(b.Begin)/size, uint64(b.End-1)/size
		if uint64(len(r.Needed)) != last-first+1 {
			t.Fatalf("%+v", r.Needed)
		}
		for n, obj := range r.Needed {
			if want := layout.WAL("main", layout.Segment{Timeline: 1, Number: first + uint64(n)}.Name(size), ".gz"); obj.Key != want {
				t.Errorf("%q, want %q", obj.Key, want)
			}
		}
	}
}

func TestAMissingDirectoryIsOneProblem(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 7)
	p.segments(1, 16, 18)
	r := p.check(p.archive(), backup(1, 2))
	if len(r.Problems) != 2 || r.Problems[0].Code != "wal-hole" || r.Tip.Number != 7 { // the directories of 8 to 11 and of 12 to 15
		t.Errorf("%+v", r)
	}
}

func TestHolesAndWhatIsThere(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 5)
	p.segments(1, 8, 9) // of 8 to 11
	p.segments(1, 17, 18)
	a := p.archive()
	r := p.check(a, backup(1, 2))
	holes := []walchain.Run{{Timeline: 1, First: 6, Last: 7}, {Timeline: 1, First: 10, Last: 16}}
	if !slices.Equal(r.Holes, holes) {
		t.Errorf("%+v", r.Holes)
	}
	runs, more := a.Present(10)
	if want := []walchain.Run{{Timeline: 1, First: 1, Last: 5}, {Timeline: 1, First: 8, Last: 9}, {Timeline: 1, First: 17, Last: 18}}; more || !slices.Equal(runs, want) {
		t.Errorf("%+v %v", runs, more)
	}
	if runs, more := a.Present(2); !more || len(runs) != 2 {
		t.Errorf("%+v %v", runs, more)
	}
	if r := p.check(a, backup(4, 10)); len(r.Holes) != 2 || r.Holes[1].Last != 16 { // what it needs itself, and what follows
		t.Errorf("%+v", r.Holes)
	}
	for number, there := range map[uint64]bool{5: true, 6: false} {
		if at, err := a.Stored(t.Context(), layout.Segment{Timeline: 1, Number: number}); err != nil || at.IsZero() == there {
			t.Errorf("%d: %s %v", number, at, err)
		}
	}
}

// The directory in which a timeline was left is not there on the old one, and on the new one it is.
func TestAHoleEndsWhereTheTimelineDoes(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 3)
	p.segments(2, 6, 9) // and 4 and 5 are nowhere
	p.create("main/wals/00000002.history", "1\t"+layout.LSN(6*size+80).String()+"\tx\n")
	r := p.check(p.archive(), backup(1, 2))
	if want := []walchain.Run{{Timeline: 1, First: 4, Last: 5}}; !slices.Equal(r.Holes, want) {
		t.Errorf("%+v", r.Holes)
	}
	q := newPlace(t)
	q.segments(1, 1, 3)
	q.segments(2, 7, 9) // and the new one's first neither
	q.create("main/wals/00000002.history", "1\t"+layout.LSN(6*size+80).String()+"\tx\n")
	r = q.check(q.archive(), backup(1, 2))
	if want := []walchain.Run{{Timeline: 1, First: 4, Last: 5}, {Timeline: 2, First: 6, Last: 6}}; !slices.Equal(r.Holes, want) {
		t.Errorf("%+v", r.Holes)
	}
}

func TestJoin(t *testing.T) {
	got := walchain.Join([]walchain.Run{{2, 5, 6}, {1, 8, 9}, {1, 1, 3}, {1, 4, 5}, {1, 2, 2}, {2, 6, 9}})
	if want := []walchain.Run{{1, 1, 5}, {1, 8, 9}, {2, 5, 9}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestManyHolesAreNamedShortly(t *testing.T) {
	p := newPlace(t)
	for n := uint64(1); n < 200; n += 2 {
		p.segments(1, n, n)
	}
	if r := p.check(p.archive(), backup(1, 1)); len(r.Problems) != 11 || r.Problems[10].Text != "and 89 more" {
		t.Errorf("%+v", r.Problems)
	}
}

// PostgreSQL looks for the histories that follow its own one by one, and stops
// at the first that is missing.
func TestAHistoryThatNoRestoreReachesIsNotFollowed(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 5)
	p.create("main/wals/000000FF.history", "1\t0/100\tx\n")
	if r := p.check(p.archive(), backup(1, 2)); len(r.Problems) > 0 {
		t.Errorf("%+v", r.Problems)
	}
}

func TestABackupThatNeedsTooMuchIsNotLookedAt(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 2)
	for _, b := range []walchain.Backup{{Timeline: 1, Begin: 5, End: 5}, {Timeline: 1, Begin: 1, End: 1 << 63}} {
		if r := p.check(p.archive(), b); len(r.Problems) != 1 || r.Problems[0].Code != "wal-range" {
			t.Errorf("%+v", r.Problems)
		}
	}
}

func TestTheStoresFailureIsAnError(t *testing.T) {
	p := newPlace(t)
	p.segments(1, 1, 9)
	for _, op := range []string{"dirs", "versions", "list"} {
		a := p.archive()
		a.Vault = p.store.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
			if c.Op == op {
				return membucket.Fault{Skip: true, Err: membucket.ErrServer}
			}
			return membucket.Fault{}
		}, false)
		if _, err := a.Check(t.Context(), backup(1, 2)); !bucket.Retryable(err) {
			t.Errorf("%s: %v", op, err)
		}
	}
}
