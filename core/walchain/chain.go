package walchain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// Backup is what of a backup concerns its WAL.
type Backup struct {
	Timeline   uint32
	Begin, End layout.LSN
}

// Problem is one thing that is wrong with the WAL of a backup.
type Problem struct{ Code, Key, Text string }

const (
	maxNamed  = 10      // segments with one problem that are named
	maxNeeded = 1 << 20 // segments that one backup can need
)

// Report is what Check found.
type Report struct {
	Problems []Problem
	// Needed are the segments without which the backup cannot be restored, as the
	// listing shows them.
	Needed []bucket.Object
	// Holes are the segments on the way that are not there, at most maxHoles runs
	// of them, each on one timeline.
	Holes []Run
	// Tip is the newest segment to which the WAL leads without a hole; its Number
	// is 0 when not even the backup's own is whole.
	Tip layout.Segment
}

// Check follows the WAL from the beginning of a backup to the newest segment of
// the newest timeline that its own leads to, which is where PostgreSQL goes by
// default (recovery_target_timeline = latest): it looks for the history files
// that follow its own without a gap (findNewestTimeLine in timeline.c, 15).
func (a *Archive) Check(ctx context.Context, b Backup) (Report, error) {
	if err := a.open(ctx); err != nil {
		return Report{}, err
	}
	c := &check{Archive: a, b: b, counts: map[string]int{}}
	if a.crowded {
		c.add("flood", layout.WALDir(a.Server), "more than %d directories are there: no WAL archive has so many, and not all were looked at", maxDirs)
	}
	if err := c.followTimelines(ctx); err != nil {
		return Report{}, err
	}
	if err := c.walk(ctx); err != nil {
		return Report{}, err
	}
	for _, code := range slices.Sorted(maps.Keys(c.counts)) {
		if n := c.counts[code] - maxNamed; n > 0 {
			c.r.Problems = append(c.r.Problems, Problem{code, layout.WALDir(a.Server), fmt.Sprintf("and %d more", n)})
		}
	}
	return c.r, nil
}

type check struct {
	*Archive
	b       Backup
	newest  uint32          // the timeline that a restore would follow
	history walfile.History // of newest
	counts  map[string]int
	r       Report
}

func (c *check) add(code, key, format string, args ...any) {
	if c.counts[code]++; c.counts[code] <= maxNamed {
		c.r.Problems = append(c.r.Problems, Problem{code, key, fmt.Sprintf(format, args...)})
	}
}

// timelineOf is the timeline on which a segment stands on the way to the newest
// one: that of its last byte, since a timeline begins with the whole of the
// segment in which it forked.
func (c *check) timelineOf(number uint64) uint32 {
	t := c.newest
	for n := len(c.history) - 1; n >= 0; n-- {
		if number >= uint64(c.history[n].End)/uint64(c.Size) {
			break
		}
		t = c.history[n].Parent
	}
	return t
}

// walk looks at every segment from the backup's first to the newest.
func (c *check) walk(ctx context.Context) error {
	size := c.Size
	first := layout.SegmentAt(c.b.Timeline, c.b.Begin, size)
	needed := layout.SegmentAt(c.b.Timeline, c.b.End-1, size)
	if c.b.End <= c.b.Begin || needed.Number-first.Number > maxNeeded {
		c.add("wal-range", layout.WALDir(c.Server), "the backup says that it needs the WAL from %s to %s", c.b.Begin, c.b.End)
		return nil
	}
	c.keep = numbers{uint64(c.b.Timeline), first.Number, needed.Number}
	tip, err := c.tip(ctx, needed)
	if err != nil {
		return err
	}
	perLog, end := c.perLog(), max(needed.Number, tip.Number)
	if most := first.Number + maxDirs*perLog; end > most { // somebody made a segment far ahead: there must be a hole
		end = most
	}
	if err := c.list(ctx, c.onTheWay(first.Number, end)); err != nil {
		return err
	}
	whole := true
	for number := first.Number; number <= end; number++ {
		s := layout.Segment{Timeline: c.timelineOf(number), Number: number}
		if number <= needed.Number {
			s.Timeline = c.b.Timeline
		}
		f := c.at(s)
		switch {
		case !f.there() && number <= needed.Number:
			c.add("wal-missing", c.key(s), "the backup cannot be restored without it, and it is not there%s", hidden(f))
			c.hole(s, number)
			whole = false
		case f == nil:
			c.add("wal-hole", c.key(s), "its whole directory is not there, and later segments are: no restore of this backup can go past it")
			whole = false
			number = c.leaves(number, (number/perLog+1)*perLog-1)
			c.hole(s, min(number, end))
		case !f.there():
			c.add("wal-hole", c.key(s), "it is not there%s, and later segments are: no restore of this backup can go past it", hidden(f))
			c.hole(s, number)
			whole = false
		default:
			if whole {
				c.r.Tip = s
			}
			if number <= needed.Number {
				c.r.Needed = append(c.r.Needed, c.listed[dirID(s.Timeline, number/perLog)].objects[number])
			}
			c.look(s, f)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(c.listed)) {
		if c.listed[dir].flooded {
			c.add("flood", fmt.Sprintf("%s%016X/", layout.WALDir(c.Server), dir), "it holds more objects than any WAL archive does, and not all were looked at")
		}
	}
	return nil
}

func (c *check) key(s layout.Segment) string { return layout.WAL(c.Server, s.Name(c.Size), "") }

func hidden(f *file) string {
	if f != nil && f.hidden {
		return " (a delete marker hides it)"
	}
	return ""
}

// look says what stands beside a segment that is there.
func (c *check) look(s layout.Segment, f *file) {
	if f.forms == 1 && f.versions == 1 && !f.partial {
		return
	}
	key := c.key(s)
	if f.forms > 1 {
		c.add("wal-double", key, "it is there in %d compressions, and a restore may take either", f.forms)
	}
	if f.partial {
		c.add("wal-partial", key+".partial", "it stands beside the whole segment, and barman-cloud-wal-restore may take it instead (3.4 to 3.17; give it --no-partial)")
	}
	if f.versions > 1 {
		c.add("wal-versions", key, "it was written or deleted more than once: a reader without versions sees the newest")
	}
}

// tip is the newest segment on the way to the newest timeline, the backup's
// last one when there is none after it.
func (c *check) tip(ctx context.Context, needed layout.Segment) (layout.Segment, error) {
	end := ^uint64(0)
	for n := len(c.history); n >= 0; n-- {
		t := c.newest
		if n < len(c.history) {
			t = c.history[n].Parent
		}
		if t < c.b.Timeline {
			break
		}
		from := uint64(0)
		if n > 0 {
			from = uint64(c.history[n-1].End) / uint64(c.Size)
		}
		found, err := c.lastOn(ctx, t, from)
		if err != nil {
			return needed, err
		}
		if found.Number > 0 && t != c.newest && found.Number > end {
			c.add("history-fork", layout.WAL(c.Server, layout.History(c.newest), ""),
				"it says that timeline %d was left in segment %s, of which timeline %d has nothing yet, and timeline %d goes on to %s: a restore that goes to the latest timeline stops at the fork",
				t, layout.Segment{Timeline: t, Number: end}.Name(c.Size), c.newest, t, found.Name(c.Size))
		}
		if found.Number > 0 {
			if end > 0 && found.Number >= end {
				found.Number = end - 1
			}
			return found, nil
		}
		end = from
	}
	return needed, nil
}

// lastOn finds the last segment of a timeline, not before number from. Empty
// directories are passed over, a thousand at most.
func (c *check) lastOn(ctx context.Context, timeline uint32, from uint64) (layout.Segment, error) {
	perLog := c.perLog()
	last, any := c.last[timeline]
	for tries := 0; any && tries < 1000 && last >= from/perLog; tries++ {
		if id := dirID(timeline, last); c.names[id] {
			if err := c.list(ctx, []uint64{id}); err != nil {
				return layout.Segment{}, err
			}
			files := c.listed[id].files
			for n := len(files) - 1; n >= 0; n-- {
				if s := (layout.Segment{Timeline: timeline, Number: last*perLog + uint64(n)}); files[n].there() && s.Number >= from {
					return s, nil
				}
			}
		}
		if last == 0 {
			break
		}
		last--
	}
	return layout.Segment{}, nil
}

// onTheWay are the directories that hold the segments from first to end, each
// on the timelines that the way to the newest one takes there.
func (c *check) onTheWay(first, end uint64) []uint64 {
	perLog := c.perLog()
	seen := map[uint64]bool{}
	var ids []uint64
	add := func(t uint32, from, to uint64) {
		for log := from / perLog; log <= to/perLog; log++ {
			if id := dirID(t, log); c.names[id] && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	add(c.b.Timeline, first, min(end, uint64(c.b.End-1)/uint64(c.Size)))
	for number := first; number <= end; {
		t, to := c.timelineOf(number), c.leaves(number, end)
		add(t, number, to)
		number = to + 1
	}
	return ids
}

func kindOf(err error, kinds ...error) bool {
	for _, k := range kinds {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
