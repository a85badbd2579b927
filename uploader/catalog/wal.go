package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// Limits of what is read of the WAL archive. All of its directories are named by a listing with a delimiter; only the
// last ones are looked into.
const (
	newestTimelines = 4 // of which the end is looked at
	emptyDirs       = 3 // looked into for a segment, from the last one back
	maxInDir        = 20_000
	defaultSegment  = 16 << 20 // initdb's
)

// walArchive is the WAL archive as far as it was looked at.
type walArchive struct {
	server    string
	size      int64             // of a segment
	dirs      map[uint64]bool   // timeline and log, as in the names
	logs      map[uint32]uint64 // the last log of each timeline
	tips      []tip             // of the newest timelines, the highest first
	histories map[uint32]walfile.History
	notes     []string
}

// tip is the end of a timeline.
type tip struct {
	last    layout.Segment
	key     string
	created time.Time
	first   uint64 // the segment from which on none is missing up to last, within its directory
}

func segmentSize(found []*records) int64 {
	for _, f := range found { // newest first
		if f.seal != nil && layout.SegmentSize(f.seal.SegmentSize) {
			return f.seal.SegmentSize
		}
	}
	for _, f := range found {
		if f.info != nil && layout.SegmentSize(f.info.SegmentSize) {
			return f.info.SegmentSize
		}
	}
	return defaultSegment
}

// readArchive looks at the ends of the newest timelines.
func (r Reader) readArchive(ctx context.Context, size int64) (*walArchive, error) {
	a := &walArchive{server: r.Server, size: size, dirs: map[uint64]bool{}, logs: map[uint32]uint64{}, histories: map[uint32]walfile.History{}}
	for name, err := range r.Vault.Dirs(ctx, layout.WALDir(r.Server)) {
		if err != nil {
			return nil, fmt.Errorf("list the WAL archive: %w", err)
		}
		n, err := strconv.ParseUint(name, 16, 64)
		if err != nil || fmt.Sprintf("%016X", n) != name {
			continue
		}
		a.dirs[n] = true
		tli := uint32(n >> 32)
		a.logs[tli] = max(a.logs[tli], n&0xffffffff)
	}
	var timelines []uint32
	for tli := range a.logs {
		timelines = append(timelines, tli)
	}
	slices.Sort(timelines)
	slices.Reverse(timelines)
	for _, tli := range timelines[:min(len(timelines), newestTimelines)] {
		found, err := r.tipOf(ctx, a, tli)
		if err != nil {
			return nil, fmt.Errorf("list the WAL archive: %w", err)
		}
		if found == nil {
			continue
		}
		a.tips = append(a.tips, *found)
		if tli == 1 {
			continue
		}
		history, err := r.history(ctx, tli)
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			a.notes = append(a.notes, Printable(fmt.Sprintf("the history of timeline %d cannot be read, so no backup is seen to lead to it: %v", tli, err)))
			continue
		}
		a.histories[tli] = history
	}
	return a, nil
}

// tipOf finds the last segment of a timeline.
func (r Reader) tipOf(ctx context.Context, a *walArchive, tli uint32) (*tip, error) {
	looked := 0
	for log := a.logs[tli]; looked < emptyDirs; log-- {
		if a.dirs[uint64(tli)<<32|log] {
			looked++
			found, err := r.tipIn(ctx, a, fmt.Sprintf("%08X%08X", tli, log))
			if found != nil || err != nil {
				return found, err
			}
		}
		if log == 0 || a.logs[tli]-log > 1000 {
			break
		}
	}
	return nil, nil
}

func (r Reader) tipIn(ctx context.Context, a *walArchive, dir string) (*tip, error) {
	present := map[uint64]bucket.Object{}
	var last *layout.Segment
	n := 0
	for obj, err := range r.Vault.List(ctx, layout.WALDir(r.Server)+dir+"/") {
		if err != nil {
			return nil, err
		}
		if n++; n > maxInDir {
			a.notes = append(a.notes, fmt.Sprintf("more than %d objects are in the WAL directory %s; the rest was not looked at", maxInDir, dir))
			break
		}
		name, _ := layout.SplitWAL(obj.Key[strings.LastIndexByte(obj.Key, '/')+1:])
		s, err := layout.ParseSegment(name, a.size)
		if err != nil || !strings.HasPrefix(name, dir) {
			continue
		}
		present[s.Number] = obj
		if last == nil || s.Number > last.Number {
			last = &s
		}
	}
	if last == nil {
		return nil, nil
	}
	t := &tip{last: *last, key: present[last.Number].Key, created: present[last.Number].Created.UTC(), first: last.Number}
	for t.first > 0 && present[t.first-1].Key != "" {
		t.first--
	}
	return t, nil
}

// history reads the history file of a timeline, whatever its compression.
func (r Reader) history(ctx context.Context, tli uint32) (walfile.History, error) {
	name := layout.History(tli)
	for obj, err := range r.Vault.List(ctx, layout.WAL(r.Server, name, "")) {
		if err != nil {
			return nil, err
		}
		file, suffix := layout.SplitWAL(strings.TrimPrefix(obj.Key, layout.WALDir(r.Server)))
		if file != name {
			continue
		}
		body, _, err := bucket.ReadAll(ctx, r.Vault, obj.Key, "", walfile.MaxHistory)
		if err != nil {
			return nil, err
		}
		plain, err := r.Decompress(suffix, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(plain, walfile.MaxHistory+1))
		if err := errors.Join(err, plain.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", obj.Key, err)
		}
		return walfile.ParseHistory(tli, text)
	}
	return nil, fmt.Errorf("%s is not in the archive", name)
}

// newest is the segment that the store got last.
func (a *walArchive) newest(now time.Time) *WAL {
	var w *WAL
	for _, t := range a.tips {
		if w == nil || t.created.After(w.Time) {
			w = &WAL{Segment: t.last.Name(a.size), Key: t.key, Time: t.created, Age: span(now.Sub(t.created))}
		}
	}
	return w
}
