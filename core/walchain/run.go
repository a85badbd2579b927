package walchain

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

// maxHoles bounds the holes that are told of one backup; who writes to a vault
// can leave out every other segment.
const maxHoles = 1_000

// Run is a range of segments of one timeline, both ends included.
type Run struct {
	Timeline    uint32
	First, Last uint64
}

// Segments counts them.
func (r Run) Segments() uint64 { return r.Last - r.First + 1 }

// hole notes that the segments from s to the one numbered last are not there.
func (c *check) hole(s layout.Segment, last uint64) {
	if n := len(c.r.Holes) - 1; n >= 0 && c.r.Holes[n].Timeline == s.Timeline && c.r.Holes[n].Last+1 == s.Number {
		c.r.Holes[n].Last = last
	} else if n+1 < maxHoles {
		c.r.Holes = append(c.r.Holes, Run{s.Timeline, s.Number, last})
	}
}

// leaves is the last number from number to end that is on the same timeline.
func (c *check) leaves(number, end uint64) uint64 {
	for _, fork := range c.history {
		if begin := uint64(fork.End) / uint64(c.Size); begin > number {
			end = min(end, begin-1)
		}
	}
	return end
}

// Join sorts runs and makes one of those that overlap or follow each other.
func Join(runs []Run) []Run {
	slices.SortFunc(runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.Timeline, b.Timeline), cmp.Compare(a.First, b.First))
	})
	var out []Run
	for _, r := range runs {
		if n := len(out) - 1; n >= 0 && out[n].Timeline == r.Timeline && r.First <= out[n].Last+1 {
			out[n].Last = max(out[n].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Present gives the runs of segments that are there, in the directories that
// the checks so far had to look into, and at most limit of them; more tells
// whether that was not enough.
func (a *Archive) Present(limit int) (runs []Run, more bool) {
	for _, id := range slices.Sorted(maps.Keys(a.listed)) {
		timeline, first := uint32(id>>32), id&0xffffffff*a.perLog()
		for n := range a.listed[id].files {
			if !a.listed[id].files[n].there() {
				continue
			}
			number, last := first+uint64(n), len(runs)-1
			switch {
			case last >= 0 && runs[last].Timeline == timeline && runs[last].Last+1 == number:
				runs[last].Last = number
			case len(runs) == limit:
				return runs, true
			default:
				runs = append(runs, Run{timeline, number, number})
			}
		}
	}
	return runs, false
}

// Stored tells when the store got a segment, the zero time if it is not there.
func (a *Archive) Stored(ctx context.Context, s layout.Segment) (time.Time, error) {
	key := layout.WAL(a.Server, s.Name(a.Size), "")
	listed := 0
	for obj, err := range a.Vault.List(ctx, key) {
		if err != nil {
			return time.Time{}, err
		}
		if plain, _ := layout.SplitWAL(obj.Key); plain == key {
			return obj.Created, nil
		}
		if listed++; listed > 100 { // whatever that is
			break
		}
	}
	return time.Time{}, nil
}
