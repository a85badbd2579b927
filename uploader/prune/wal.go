package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

// span is the WAL that one backup needs by itself, by names, both included.
type span struct{ from, to string }

// expendable is which WAL nobody needs once a backup is gone, by the rules of barman (3.4 to 3.17): all before the next
// backup, if no older one is left that needs it.
type expendable struct {
	before    string // the first name that is needed
	timelines map[uint32]bool
	spans     []span
}

// without works out what becomes expendable with the backup id, which is still among all. ok is false if nothing does: an
// older backup is there that can be recovered to any time after it. Older ones that are kept standalone need their own
// WAL only, and even then nothing goes unless a policy asked (byPolicy), as in barman.
func without(all []barman.Backup, id string, byPolicy bool) (e expendable, ok bool) {
	at := slices.IndexFunc(all, func(b barman.Backup) bool { return b.ID == id })
	if at < 0 {
		return e, false
	}
	for _, older := range slices.Backward(all[:at]) {
		switch {
		case !copied(older):
			continue
		case !older.Keep.Standalone() || !byPolicy:
			return e, false
		}
		begin, end := older.Fields.Text("begin_wal"), older.Fields.Text("end_wal")
		if begin == "" || end == "" {
			return e, false // nobody knows what it needs
		}
		e.spans = append(e.spans, span{begin, end})
	}
	until := all[at]
	if next := slices.IndexFunc(all[at+1:], copied); next >= 0 {
		until = all[at+1+next]
	}
	e.before = until.Fields.Text("begin_wal")
	if len(e.before) != 24 {
		return e, false
	}
	e.timelines = map[uint32]bool{}
	for _, b := range all { // the deleted one among them, as in barman: its WAL may lead to the next timeline
		if b.Info.Timeline != until.Info.Timeline {
			e.timelines[b.Info.Timeline] = true
		}
	}
	return e, true
}

// copied is the status of backups that barman counts here.
func copied(b barman.Backup) bool { return b.Done() || b.Fields.Text("status") == "WAITING_FOR_WALS" }

// has tells whether nobody needs the file. History files stay: they are small, and a restore may ask for any.
func (e expendable) has(w barman.WAL) bool {
	segment := w.Name[:min(24, len(w.Name))]
	return !w.History() && w.Name < e.before && !e.timelines[w.Timeline()] && !slices.ContainsFunc(e.spans, func(s span) bool {
		return segment >= s.from && segment <= s.to
	})
}

// removeWAL deletes what is expendable, oldest first, as far as it is not locked.
func (d *Deleter) removeWAL(ctx context.Context, e expendable) error {
	if err := d.listWAL(ctx); err != nil {
		return err
	}
	var found []bucket.Object
	var rest []barman.WAL
	for _, w := range d.wals {
		if e.has(w) {
			found = append(found, w.Object)
		} else {
			rest = append(rest, w)
		}
	}
	if d.wals = rest; len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b bucket.Object) int { return cmp.Or(cmp.Compare(a.Key, b.Key), markersLast(a, b)) })
	if d.DryRun {
		return d.skipping(found)
	}
	removed, why := 0, error(nil)
	for batch := range slices.Chunk(found, d.parallel()) {
		locked := 0
		for _, err := range d.remove(ctx, batch) {
			switch {
			case err == nil:
				removed++
			case errors.Is(err, bucket.ErrRetained):
				locked, why = locked+1, err
			default:
				return fmt.Errorf("delete WAL that no backup needs: %w", err)
			}
		}
		if locked == len(batch) {
			break // what is newer is locked for longer
		}
	}
	d.Log.Info("deleted WAL that no backup needs", "server", d.Server, "objects", removed)
	if why != nil {
		return d.say("WAL that no backup needs any more is still locked, and goes with a later deletion: %v\n", why)
	}
	return nil
}

func (d *Deleter) listWAL(ctx context.Context) error {
	if d.wals != nil {
		return nil
	}
	d.wals = []barman.WAL{}
	for o, err := range d.Vault.ListVersions(ctx, layout.WALDir(d.Server)) {
		if err != nil {
			return fmt.Errorf("list the WAL archive: %w", err)
		}
		if w, ok := barman.ParseWAL(o); ok {
			d.wals = append(d.wals, w)
		}
	}
	return nil
}
