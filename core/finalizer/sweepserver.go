package finalizer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

// swept is one server in one run of the sweep.
type swept struct {
	name      string
	spent     int64 // requests
	listed    bool
	inVault   map[string]bool
	inStaging map[string]time.Time // with the heartbeat's time, zero where there is none
	records   map[string]bool
	notes     sweepNotes
	changed   bool
	queue     []string // ids to look at
	later     []string // that need more than their share
	listLater bool     // the listing itself needs more
	wal       *walchain.Archive
}

// ready tells whether there is a step to take now, and done whether nothing is
// left at all.
func (v *swept) ready() bool { return len(v.queue) > 0 || !v.listed && !v.listLater }
func (v *swept) done() bool  { return v.listed && len(v.queue) == 0 && len(v.later) == 0 }

// turn is one step: the listing, and then one backup after the other.
func (v *swept) turn(ctx context.Context, s *sweep) (id string, err error) {
	if !v.listed {
		err := v.list(ctx, s)
		v.listed, v.listLater = err == nil, err != nil
		if err == nil {
			err = v.endStale(ctx, s)
		}
		return "", err
	}
	id, v.queue = v.queue[0], v.queue[1:]
	return id, v.look(ctx, s, id)
}

func (v *swept) putOff(id string) {
	if id != "" {
		v.later = append(v.later, id)
	}
}

// again makes what was put off due.
func (v *swept) again() {
	v.queue, v.later = append(v.queue, v.later...), nil
	v.listLater = false
}

// list finds the server's backups, and what is remembered of them.
func (v *swept) list(ctx context.Context, s *sweep) (err error) {
	if v.notes, err = s.readNotes(ctx, v.name); err != nil {
		return err
	}
	if v.inVault, err = s.ids(ctx, v, s.Vault); err != nil {
		return err
	}
	inStaging, err := s.ids(ctx, v, s.Staging)
	if err != nil {
		return err
	}
	v.inStaging = map[string]time.Time{}
	for id := range inStaging {
		v.inStaging[id] = time.Time{}
	}
	v.records = map[string]bool{}
	err = s.jsons(ctx, v, layout.ProgressDir(v.name), func(id string, o bucket.Object) { v.inStaging[id] = o.Created })
	if err == nil {
		err = s.jsons(ctx, v, layout.SweepDir(v.name), func(id string, _ bucket.Object) { v.records[id] = true })
	}
	if err != nil {
		return err
	}
	v.forget()
	v.order(s.Now(), s.Config.abandonAfter())
	return nil
}

// ids lists the backups of a server in one place.
func (s *sweep) ids(ctx context.Context, v *swept, place bucket.Bucket) (map[string]bool, error) {
	found, n := map[string]bool{}, 0
	for id, err := range place.Dirs(ctx, layout.BaseDir(v.name)) {
		if err != nil {
			return nil, err
		}
		if _, err := layout.ParseBackupID(id); err == nil {
			found[id] = true
		}
		if n++; n == s.limits.names {
			s.flooded(v, place, layout.BaseDir(v.name))
			break
		}
	}
	return found, nil
}

// jsons lists the backups that have an object of their own in one of staging's
// directories.
func (s *sweep) jsons(ctx context.Context, v *swept, dir string, keep func(id string, o bucket.Object)) error {
	n := 0
	for obj, err := range s.Staging.List(ctx, dir) {
		if err != nil {
			return err
		}
		id, ok := strings.CutSuffix(strings.TrimPrefix(obj.Key, dir), ".json")
		if _, err := layout.ParseBackupID(id); ok && err == nil {
			keep(id, obj)
		}
		if n++; n == s.limits.names {
			s.flooded(v, s.Staging, dir)
			break
		}
	}
	return nil
}

// flooded tells of a directory with more names than the sweep reads: what comes
// after them is found by its event only.
func (s *sweep) flooded(v *swept, place bucket.Bucket, dir string) {
	s.log().Error("a server has more backups than any: not all are looked at", "server", v.name, "finding", string(Tampered), "code", "flood",
		"object", place.URL()+"/"+dir, "limit", s.limits.names)
}

// forget drops the notes on what is gone.
func (v *swept) forget() {
	for id := range v.notes.Backups {
		if _, staged := v.inStaging[id]; !staged && !v.inVault[id] {
			delete(v.notes.Backups, id)
			v.changed = true
		}
	}
}

// order makes the queue: what may become sealed and what is to be audited take
// turns, so that a flood of the one does not hold up the other; what was not
// looked at for longest comes first, and then the newest.
func (v *swept) order(now time.Time, abandonAfter time.Duration) {
	var open, sealed []string
	add := func(id string) {
		n := v.notes.Backups[id]
		switch {
		case n != nil && n.State == Sealed && v.inVault[id]:
			if n.due(now) {
				sealed = append(sealed, id)
			}
		case n == nil || n.due(now) || v.silent(id, now, abandonAfter) && (n.State == "" || n.State == Nothing):
			open = append(open, id)
		}
	}
	for id := range v.inVault {
		add(id)
	}
	for id, beat := range v.inStaging {
		if !v.inVault[id] && (beat.IsZero() || v.silent(id, now, abandonAfter)) { // one that runs is left alone
			add(id)
		}
	}
	last := func(id string) time.Time {
		if n := v.notes.Backups[id]; n != nil {
			return n.Last
		}
		return time.Time{}
	}
	for _, list := range [][]string{open, sealed} {
		slices.SortFunc(list, func(a, b string) int {
			if c := last(a).Compare(last(b)); c != 0 {
				return c
			}
			return strings.Compare(b, a)
		})
	}
	for n := range max(len(open), len(sealed)) {
		if n < len(sealed) {
			v.queue = append(v.queue, sealed[n])
		}
		if n < len(open) {
			v.queue = append(v.queue, open[n])
		}
	}
}

func (v *swept) silent(id string, now time.Time, abandonAfter time.Duration) bool {
	beat := v.inStaging[id]
	return !beat.IsZero() && now.Sub(beat) > abandonAfter
}
