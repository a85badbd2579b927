// Package prune deletes backups that are no longer needed, and the WAL that only they needed, as barman-cloud-backup-delete
// does, in vaults that lock what they hold: nothing is begun that the store would not let come to its end.
//
// The order of a deletion is its safety. Before anything goes, every version of every object of the backup is known to be
// free of locks. Then goes the manifest, without which no finalizer seals the set again; then backup.info, so that no
// catalogue lists a backup whose data are not all there; then the data. Whatever it is interrupted at, what is left is
// either a whole backup or no backup, and the same command finds it again.
package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

const (
	// Quiet is how old the newest object of a directory without backup.info and manifest has to be before it is taken for
	// what an interrupted deletion, or a dead upload, has left: an upload that runs has made a newer one. Google Cloud and
	// Azure drop what is begun and not completed after a week.
	Quiet = 14 * 24 * time.Hour

	maxObjects = 200_000 // of one backup, versions counted
	maxBatch   = 16      // requests at a time
)

// The ways in which a deletion does not happen.
var (
	ErrKept       = errors.New("it has a current keep request")
	ErrRedundancy = errors.New("minimum redundancy")
	ErrUnreadable = errors.New("the catalogue cannot be read as a whole, and what is in it may be needed")
	ErrUnsure     = errors.New("it could be an upload that runs")
)

// Deleter is a catalogue with the right to delete from it.
type Deleter struct {
	barman.Catalogue
	Remover bucket.Remover
	AtLeast int // complete backups that stay; 1 at least
	Batch   int // the most objects that are deleted at a time; 0: maxBatch
	DryRun  bool
	Out     io.Writer
	Now     func() time.Time
	Log     *slog.Logger

	gone map[string]bool // the ids that were deleted, or would have been
	wals []barman.WAL    // the archive as it was listed, without what was deleted since; nil: not yet
}

// One deletes one backup, or finishes a deletion of it that was interrupted. bucket.ErrRetained: it is locked, and nothing
// was deleted.
func (d *Deleter) One(ctx context.Context, id string) error {
	all, err := d.catalogue(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(b barman.Backup) bool { return b.ID == id })
	if at < 0 {
		return d.leftovers(ctx, id, true)
	}
	keep, err := d.Keep(ctx, id)
	switch {
	case err != nil:
		return err
	case keep.Kept:
		return fmt.Errorf("backup %s of server %s is not deleted: %w; backup-keep --release ends it", id, d.Server, ErrKept)
	case all[at].Done() && count(all) <= max(1, d.AtLeast):
		return fmt.Errorf("backup %s of server %s is not deleted: %w is %d, and there are %d complete backups", id, d.Server, ErrRedundancy, max(1, d.AtLeast), count(all))
	}
	return d.delete(ctx, all, id, false)
}

// ByPolicy deletes all that the policy does not need, oldest first. What is locked stays, is told, and is no error.
func (d *Deleter) ByPolicy(ctx context.Context, p Policy) error {
	all, err := d.catalogue(ctx)
	if err != nil {
		return err
	}
	obsolete := p.Obsolete(all, max(1, d.AtLeast), d.Now())
	if err := d.finish(ctx, all); err != nil {
		return err
	}
	for _, id := range obsolete {
		switch err := d.delete(ctx, all, id, true); {
		case errors.Is(err, bucket.ErrRetained):
			if err := d.say("The policy does not need backup %s any more. %v\n", id, err); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			all = slices.DeleteFunc(all, func(b barman.Backup) bool { return b.ID == id })
		}
	}
	return nil
}

// catalogue reads everything, or refuses.
func (d *Deleter) catalogue(ctx context.Context) ([]barman.Backup, error) {
	d.gone, d.wals = map[string]bool{}, nil
	all, unreadable, err := d.Backups(ctx)
	if err != nil {
		return nil, err
	}
	if len(unreadable) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, unreadable[0].Err)
	}
	return all, d.Keeps(ctx, all)
}

func count(all []barman.Backup) (n int) {
	for _, b := range all {
		if b.Done() {
			n++
		}
	}
	return n
}

// delete deletes a backup that is in the catalogue, and then the WAL that only it needed.
func (d *Deleter) delete(ctx context.Context, all []barman.Backup, id string, byPolicy bool) error {
	objects, err := d.objects(ctx, id)
	if err != nil {
		return err
	}
	if err := d.checkLocks(ctx, id, objects); err != nil {
		return err
	}
	if err := d.removeAll(ctx, id, objects); err != nil {
		return err
	}
	d.gone[id] = true
	e, ok := without(all, id, byPolicy)
	if !ok {
		return nil
	}
	if waits, err := d.unsealed(ctx, all, e.before); err != nil || waits != "" {
		if err == nil {
			d.Log.Warn("no WAL is deleted: a backup that is not sealed may need it", "server", d.Server, "backup_id", waits)
		}
		return err
	}
	return d.removeWAL(ctx, e)
}

// objects are all versions of all objects of a backup, and delete markers.
func (d *Deleter) objects(ctx context.Context, id string) (all []bucket.Object, err error) {
	for o, err := range d.Vault.ListVersions(ctx, layout.BackupDir(d.Server, id)) {
		if err != nil {
			return nil, fmt.Errorf("list backup %s: %w", id, err)
		}
		if all = append(all, o); len(all) > maxObjects {
			return nil, fmt.Errorf("backup %s has more than %d objects: delete some of them by hand", id, maxObjects)
		}
	}
	return all, nil
}

// checkLocks asks for the lock of everything before anything goes. The newest object comes first, as it is locked longest
// where all are locked for the same time; it settles most cases with one request. Annotations are no part of the backup.
func (d *Deleter) checkLocks(ctx context.Context, id string, objects []bucket.Object) error {
	objects = slices.DeleteFunc(slices.Clone(objects), func(o bucket.Object) bool {
		return o.DeleteMarker || strings.HasPrefix(o.Key, layout.Annotations(d.Server, id))
	})
	slices.SortStableFunc(objects, func(a, b bucket.Object) int { return b.Created.Compare(a.Created) })
	for from, n := 0, 1; from < len(objects); from, n = from+n, maxBatch {
		batch := objects[from:min(from+n, len(objects))]
		errs := each(batch, func(o bucket.Object) error { return d.Remover.Removable(ctx, o) })
		for _, err := range errs {
			switch {
			case err == nil, errors.Is(err, bucket.ErrNotFound):
			case errors.Is(err, bucket.ErrRetained):
				return fmt.Errorf("backup %s of server %s is locked, and nothing of it was deleted: %w", id, d.Server, err)
			default:
				return fmt.Errorf("backup %s of server %s was not deleted: %w", id, d.Server, err)
			}
		}
	}
	return nil
}

// removeAll deletes the objects of one backup in the order that the package promises.
func (d *Deleter) removeAll(ctx context.Context, id string, objects []bucket.Object) error {
	objects = slices.Clone(objects)
	rank := func(o bucket.Object) int {
		switch {
		case o.DeleteMarker:
			return 4 // to remove one before what it hides would show that again
		case o.Key == layout.Manifest(d.Server, id):
			return 0
		case o.Key == layout.BackupInfo(d.Server, id):
			return 1
		case strings.HasPrefix(o.Key, layout.Annotations(d.Server, id)):
			return 3
		}
		return 2
	}
	slices.SortStableFunc(objects, func(a, b bucket.Object) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Created.Compare(b.Created)) // the current version last
	})
	if d.DryRun {
		return d.skipping(objects)
	}
	for len(objects) > 0 {
		n := 1
		if r := rank(objects[0]); r >= 2 { // those before go one by one
			for n < len(objects) && n < d.parallel() && rank(objects[n]) == r {
				n++
			}
		}
		for i, err := range d.remove(ctx, objects[:n]) {
			switch {
			case err == nil:
			case rank(objects[i]) >= 3 && (errors.Is(err, bucket.ErrRetained) || errors.Is(err, bucket.ErrDenied)):
				d.Log.Warn("left behind, and in nobody's way", "object", objects[i].Key, "error", err)
			default:
				return fmt.Errorf("backup %s of server %s was not deleted to the end: %w; run the same command again", id, d.Server, err)
			}
		}
		objects = objects[n:]
	}
	d.Log.Info("deleted", "server", d.Server, "backup_id", id)
	return nil
}

// remove deletes some objects at a time. What is gone already is a success.
func (d *Deleter) remove(ctx context.Context, objects []bucket.Object) []error {
	return each(objects, func(o bucket.Object) error {
		if err := d.Remover.Remove(ctx, o); !errors.Is(err, bucket.ErrNotFound) {
			return err
		}
		return nil
	})
}

func each(objects []bucket.Object, f func(bucket.Object) error) []error {
	errs := make([]error, len(objects))
	var wg sync.WaitGroup
	for i, o := range objects {
		wg.Go(func() { errs[i] = f(o) })
	}
	wg.Wait()
	return errs
}

func (d *Deleter) parallel() int {
	if d.Batch <= 0 {
		return maxBatch
	}
	return min(d.Batch, maxBatch)
}

func markersLast(a, b bucket.Object) int {
	switch {
	case a.DeleteMarker == b.DeleteMarker:
		return a.Created.Compare(b.Created)
	case b.DeleteMarker:
		return -1
	}
	return 1
}

func (d *Deleter) say(format string, args ...any) error {
	_, err := fmt.Fprintf(d.Out, format, args...)
	return err
}
