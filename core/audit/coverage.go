package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

// maxRuns bounds what is told of the WAL of one server, and the requests for it.
const maxRuns = 100

// Timeline is what is archived of one timeline, from the oldest complete backup
// on.
type Timeline struct {
	Timeline uint32 `json:"timeline"`
	// Stretches are the segments that are there, oldest first.
	Stretches []Stretch `json:"stretches"`
	// Holes are those that a restore of some backup needs or comes by, and that
	// are not there.
	Holes []Stretch `json:"holes,omitempty"`
}

// Stretch is a range of WAL segments, both ends included.
type Stretch struct {
	First    string `json:"first"`
	Last     string `json:"last"`
	Segments uint64 `json:"segments"`
	// From and To are when the store got the first and the last of them; of a
	// hole, when it got the segment before and the one after.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// Backups are how many backups cannot go past a hole.
	Backups int `json:"backups,omitempty"`
}

// coverage tells what of the WAL is there, and what is not.
func (l *look) coverage(ctx context.Context) error {
	timelines := map[uint32]*Timeline{}
	of := func(t uint32) *Timeline {
		if timelines[t] == nil {
			timelines[t] = &Timeline{Timeline: t, Stretches: []Stretch{}}
		}
		return timelines[t]
	}
	for _, size := range slices.Sorted(maps.Keys(l.archives)) {
		a := l.archives[size]
		present, more := a.Present(maxRuns)
		holes := walchain.Join(slices.Concat(l.holes[size]...))
		if more || len(holes) > maxRuns {
			l.r.Notes = append(l.r.Notes, fmt.Sprintf("the WAL is in so many pieces that only the first %d are told", maxRuns))
		}
		for _, r := range present {
			s, err := l.stretch(ctx, a, r, r.First, r.Last)
			if err != nil {
				return err
			}
			of(r.Timeline).Stretches = append(of(r.Timeline).Stretches, s)
		}
		for _, r := range holes[:min(len(holes), maxRuns)] {
			s, err := l.stretch(ctx, a, r, max(r.First, 1)-1, r.Last+1)
			if err != nil {
				return err
			}
			s.Backups = l.concerned(size, r)
			of(r.Timeline).Holes = append(of(r.Timeline).Holes, s)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(timelines)) {
		l.r.WAL = append(l.r.WAL, *timelines[t])
	}
	return nil
}

// stretch names a run; from and to are the segments whose times it gets.
func (l *look) stretch(ctx context.Context, a *walchain.Archive, r walchain.Run, from, to uint64) (Stretch, error) {
	s := Stretch{
		First:    layout.Segment{Timeline: r.Timeline, Number: r.First}.Name(a.Size),
		Last:     layout.Segment{Timeline: r.Timeline, Number: r.Last}.Name(a.Size),
		Segments: r.Segments(),
	}
	var err error
	if s.From, err = stored(ctx, a, layout.Segment{Timeline: r.Timeline, Number: from}); err != nil {
		return s, err
	}
	if s.To = s.From; to != from {
		s.To, err = stored(ctx, a, layout.Segment{Timeline: r.Timeline, Number: to})
	}
	return s, err
}

// stored is nil when the segment is not there.
func stored(ctx context.Context, a *walchain.Archive, s layout.Segment) (*time.Time, error) {
	t, err := a.Stored(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("look at the WAL: %w", err)
	}
	if t.IsZero() {
		return nil, nil
	}
	t = t.UTC()
	return &t, nil
}

// concerned counts the backups whose way leads into the hole.
func (l *look) concerned(size int64, hole walchain.Run) int {
	n := 0
	for _, runs := range l.holes[size] {
		if slices.ContainsFunc(runs, func(r walchain.Run) bool {
			return r.Timeline == hole.Timeline && r.First <= hole.Last && hole.First <= r.Last
		}) {
			n++
		}
	}
	return n
}
