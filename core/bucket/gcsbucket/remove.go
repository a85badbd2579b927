package gcsbucket

import (
	"context"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Remover is the deleting side of b. It takes storage.objects.delete.
func Remover(b *Bucket) bucket.Remover { return remover{b} }

type remover struct{ b *Bucket }

// Removable asks for the object's metadata, which show retention and holds alike.
func (r remover) Removable(ctx context.Context, o bucket.Object) error {
	_, a, err := r.b.stat(ctx, "remove", o.Key, o.Version)
	if err != nil {
		return err
	}
	switch end := retainUntil(a); {
	case a.EventBasedHold || a.TemporaryHold:
		return r.b.refuse("remove", o.Key, bucket.ErrRetained, "a hold, which has no end")
	case end.After(time.Now()):
		return r.b.refuse("remove", o.Key, bucket.ErrRetained, "until "+end.UTC().Format(time.RFC3339))
	}
	return nil
}

// Remove names the generation: a delete of one is for good, whether or not the
// bucket keeps versions ("Deleting objects", 2026-11; soft delete aside).
func (r remover) Remove(ctx context.Context, o bucket.Object) error {
	c, err := r.b.connected(ctx)
	if err != nil {
		return r.b.fail(ctx, "remove", o.Key, err)
	}
	n, ok := generation(o.Version)
	if !ok {
		return r.b.refuse("remove", o.Key, bucket.ErrInvalid, fmt.Sprintf("%.30q is no generation, and only one that was seen is removed", o.Version))
	}
	if err := r.b.object(c, o.Key).Generation(n).Delete(ctx); err != nil {
		return r.b.fail(ctx, "remove", o.Key, err)
	}
	return nil
}

// Hide is refused: a delete without a generation is for good.
func (r remover) Hide(_ context.Context, key string) error {
	return r.b.refuse("hide", key, bucket.ErrInvalid, "Cloud Storage has no delete markers")
}
