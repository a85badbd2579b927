// Package walchain looks at a whole WAL archive as a listing shows it: which
// segments are there, in which forms, and how far a backup can be rolled
// forward. It reads no segment, only listings and history files.
package walchain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// Limits of what is listed; who writes to a vault can write a lot.
const (
	maxDirs      = 200_000 // directories of one archive: 800 TiB of WAL
	maxTimelines = 1_000   // followed from a backup's own on
	listers      = 8       // directories that are listed at the same time
)

// Archive is the WAL archive of one server. It lists a directory when it is
// first asked about it, and remembers what it saw: make a new one to look again.
type Archive struct {
	Vault  bucket.Bucket
	Server string
	// Size is that of the server's segments.
	Size int64
	// Decompress is as in the finalizer; history files may be compressed.
	Decompress func(suffix string, r io.Reader) (io.ReadCloser, error)

	names     map[uint64]bool // the directories: timeline<<32 | log
	last      map[uint32]uint64
	crowded   bool // there are more directories than any archive has
	mu        sync.Mutex
	keep      numbers // of which listOne keeps the objects
	listed    map[uint64]*directory
	histories map[uint32]*history
}

// numbers is a range of segments.
type numbers struct{ timeline, from, to uint64 }

func (n numbers) covers(o numbers) bool {
	return o == numbers{} || n.timeline == o.timeline && n.from <= o.from && o.to <= n.to
}

// directory is what one directory of wals/ holds. There may be many thousands,
// so the objects are kept of few.
type directory struct {
	files   []file // by the segment's number in it
	kept    numbers
	objects map[uint64]bucket.Object // of the numbers in kept
	flooded bool
}

// file is one segment as it is there.
type file struct {
	forms    uint8 // compressions in which it is there; what is hidden does not count
	versions uint8 // of one form: more than one, or a delete marker, is more than pgseal ever writes
	partial  bool  // a .partial stands beside it
	hidden   bool  // a delete marker is the newest of one form
}

func (f *file) there() bool { return f != nil && f.forms > 0 }

type history struct {
	there bool
	lines walfile.History
	key   string
	bad   error
	forms int
}

func dirID(timeline uint32, log uint64) uint64 { return uint64(timeline)<<32 | log }

func (a *Archive) perLog() uint64 { return uint64(1<<32) / uint64(a.Size) }

// open lists the names of the directories, once.
func (a *Archive) open(ctx context.Context) error {
	if a.names != nil {
		return nil
	}
	names, last := map[uint64]bool{}, map[uint32]uint64{}
	for name, err := range a.Vault.Dirs(ctx, layout.WALDir(a.Server)) {
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(name, 16, 64)
		if err != nil || fmt.Sprintf("%016X", n) != name || n>>32 == 0 {
			continue
		}
		if len(names) == maxDirs {
			a.crowded = true
			break
		}
		names[n] = true
		last[uint32(n>>32)] = max(last[uint32(n>>32)], n&0xffffffff)
	}
	a.names, a.last, a.listed, a.histories = names, last, map[uint64]*directory{}, map[uint32]*history{}
	return nil
}

// list reads the directories that are there and were not read yet.
func (a *Archive) list(ctx context.Context, ids []uint64) error {
	var todo []uint64
	for _, id := range ids {
		if d := a.listed[id]; a.names[id] && (d == nil || !d.kept.covers(a.kept(id))) {
			todo = append(todo, id)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan uint64)
	for range min(listers, len(todo)) {
		wg.Go(func() {
			for id := range next {
				d, err := a.listOne(ctx, id)
				if err != nil {
					cancel(err)
					continue
				}
				a.mu.Lock()
				a.listed[id] = d
				a.mu.Unlock()
			}
		})
	}
	for _, id := range todo {
		if ctx.Err() != nil {
			break
		}
		next <- id
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// kept is what of a directory has to be kept.
func (a *Archive) kept(id uint64) numbers {
	first := id & 0xffffffff * a.perLog()
	n := numbers{a.keep.timeline, max(a.keep.from, first), min(a.keep.to, first+a.perLog()-1)}
	if n.timeline != id>>32 || n.from > n.to {
		return numbers{}
	}
	return n
}

func (a *Archive) listOne(ctx context.Context, id uint64) (*directory, error) {
	perLog := a.perLog()
	d := &directory{files: make([]file, perLog), kept: a.kept(id), objects: map[uint64]bucket.Object{}}
	prefix := fmt.Sprintf("%s%016X/", layout.WALDir(a.Server), id)
	listed, before := uint64(0), ""
	for obj, err := range a.Vault.ListVersions(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if listed++; listed > 8*perLog+1000 {
			d.flooded = true
			break
		}
		name, _ := layout.SplitWAL(strings.TrimPrefix(obj.Key, prefix))
		name, partial := strings.CutSuffix(name, ".partial")
		s, err := layout.ParseSegment(name, a.Size)
		if err != nil || dirID(s.Timeline, s.Number/perLog) != id {
			continue
		}
		f := &d.files[s.Number%perLog]
		switch again := obj.Key == before; {
		case partial:
			f.partial = f.partial || obj.Latest && !obj.DeleteMarker
		case obj.DeleteMarker && obj.Latest:
			f.hidden, f.versions = true, 2
		case obj.DeleteMarker:
			f.versions = 2
		case again:
			f.versions = 2
		case obj.Latest:
			f.forms++
			f.versions = max(f.versions, 1)
			if d.kept.covers(numbers{uint64(s.Timeline), s.Number, s.Number}) {
				d.objects[s.Number] = obj
			}
		}
		before = obj.Key
	}
	return d, nil
}

// at gives one segment, nil when its directory is not there.
func (a *Archive) at(s layout.Segment) *file {
	d := a.listed[dirID(s.Timeline, s.Number/a.perLog())]
	if d == nil {
		return nil
	}
	return &d.files[s.Number%a.perLog()]
}

// readHistory reads the history file of a timeline, once. What is wrong with it
// is kept with it; only the store's failures are errors.
func (a *Archive) readHistory(ctx context.Context, timeline uint32) (*history, error) {
	if h := a.histories[timeline]; h != nil {
		return h, nil
	}
	h := &history{key: layout.WAL(a.Server, layout.History(timeline), "")}
	var found bucket.Object
	listed := 0
	for obj, err := range a.Vault.List(ctx, h.key) {
		if err != nil {
			return nil, err
		}
		if plain, _ := layout.SplitWAL(obj.Key); plain == h.key {
			found, h.there = obj, true
			h.forms++
		}
		if listed++; listed > 100 {
			h.bad = fmt.Errorf("%w: more than 100 objects have a name that begins with it", walfile.ErrFormat)
			break
		}
	}
	if h.there && h.bad == nil {
		if err := a.parseHistory(ctx, h, timeline, found); err != nil {
			return nil, err
		}
	}
	a.histories[timeline] = h
	return h, nil
}

func (a *Archive) parseHistory(ctx context.Context, h *history, timeline uint32, found bucket.Object) error {
	body, _, err := bucket.ReadAll(ctx, a.Vault, found.Key, "", walfile.MaxHistory)
	if kindOf(err, bucket.ErrTooLarge, bucket.ErrInvalid) {
		h.bad = err
		return nil
	}
	if err != nil {
		return err
	}
	if _, suffix := layout.SplitWAL(found.Key); suffix != "" {
		if body = a.unpack(suffix, body); body == nil {
			h.bad = fmt.Errorf("%w: it cannot be unpacked", walfile.ErrFormat)
			return nil
		}
	}
	h.lines, h.bad = walfile.ParseHistory(timeline, body)
	return nil
}

// unpack gives nil when it cannot.
func (a *Archive) unpack(suffix string, packed []byte) []byte {
	inside, err := a.Decompress(suffix, bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	defer inside.Close()
	body, err := io.ReadAll(io.LimitReader(inside, walfile.MaxHistory+1))
	if err != nil {
		return nil
	}
	return body
}
