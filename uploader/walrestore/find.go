package walrestore

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// maxNames bounds a listing of what begins with one file's name: its compressions, a .partial, a few .backup files.
const maxNames = 1000

// find gives the object that holds the file: the whole one before a .partial, and of several compressions the one that
// the store got first, as PostgreSQL archives a segment once and whatever comes later is a repetition or a forgery.
func (r Request) find(ctx context.Context) (bucket.Object, error) {
	key, partial := layout.WAL(r.Server, r.Name, ""), r.Name+".partial"
	var whole, part []bucket.Object
	n := 0
	for obj, err := range r.Bucket.List(ctx, key) {
		if err != nil {
			return bucket.Object{}, fmt.Errorf("look for %s in the archive: %w", r.Name, err)
		}
		if n++; n > maxNames {
			return bucket.Object{}, fmt.Errorf("more than %d objects in %s begin with %s", maxNames, r.Bucket.URL(), key)
		}
		switch name, _ := layout.SplitWAL(path.Base(obj.Key)); name {
		case r.Name:
			whole = append(whole, obj)
		case partial:
			part = append(part, obj)
		}
	}
	switch {
	case len(whole) > 0:
		return r.oldest(whole), nil
	case len(part) > 0 && layout.KindOfWAL(r.Name) == layout.WALSegment && !r.NoPartial:
		r.Log.Warn("only a .partial is there: the end of a timeline that was left", "server", r.Server, "name", r.Name)
		return r.oldest(part), nil
	}
	if err := r.hidden(ctx, key); err != nil {
		return bucket.Object{}, err
	}
	return bucket.Object{}, fmt.Errorf("%s: %w of %s in %s", r.Name, ErrNotThere, r.Server, r.Bucket.URL())
}

func (r Request) oldest(found []bucket.Object) bucket.Object {
	first := found[0]
	for _, obj := range found[1:] {
		if obj.Created.Before(first.Created) {
			first = obj
		}
	}
	if len(found) > 1 {
		r.Log.Warn("the file is there more than once; the one that was archived first is taken", "key", first.Key, "count", len(found))
	}
	return first
}

// hidden is an error when the file is there under a delete marker: it was archived, so recovery must not end here. Who
// may not list versions cannot see that.
func (r Request) hidden(ctx context.Context, key string) error {
	n := 0
	for obj, err := range r.Bucket.ListVersions(ctx, key) {
		if errors.Is(err, bucket.ErrDenied) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for deleted versions of %s: %w", r.Name, err)
		}
		name, _ := layout.SplitWAL(path.Base(obj.Key))
		if n++; name == r.Name && obj.DeleteMarker || n > maxNames {
			return fmt.Errorf("%s/%s was deleted: a delete marker hides what the store may still hold; remove the marker (versions: pgseal audit)", r.Bucket.URL(), obj.Key)
		}
	}
	return nil
}
