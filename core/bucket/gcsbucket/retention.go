package gcsbucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/storage"

	"github.com/pgseal/pgseal/core/bucket"
)

// retainUntil is the later of the two ends that an object may have: of the
// bucket's retention policy, which the server reckons, and of its own. A hold is
// none, as it has no end and may be lifted at any time; under an event-based
// hold GCS shows no end of the policy's either.
func retainUntil(a *storage.ObjectAttrs) time.Time {
	end := a.RetentionExpirationTime
	if a.Retention != nil && a.Retention.RetainUntil.After(end) {
		end = a.Retention.RetainUntil
	}
	return end
}

// Retain gives an object a retention of its own, or extends it in the mode it
// has. A shorter one is refused before the store is asked, and the parameter
// that lets the privileged shorten an Unlocked retention is never sent. Where
// the bucket's policy holds longer, that counts: to ask for less is ErrRetained.
func (b *Bucket) Retain(ctx context.Context, key, version string, until time.Time) error {
	until = wholeSecond(until)
	for n := 1; ; n++ {
		c, a, err := b.stat(ctx, "retain", key, version)
		if err != nil {
			return err
		}
		switch end := retainUntil(a); {
		case until.Before(end):
			return b.refuse("retain", key, bucket.ErrRetained, "until "+end.UTC().Format(time.RFC3339)+", which is later than asked")
		case until.Equal(end):
			return nil
		}
		mode := b.lockMode
		if a.Retention != nil {
			mode = a.Retention.Mode
		}
		// Under the condition that nobody changed it meanwhile, a lost answer may
		// be followed by another try.
		o := b.object(c, key).Generation(a.Generation).If(storage.Conditions{MetagenerationMatch: a.Metageneration})
		_, err = o.Update(ctx, storage.ObjectAttrsToUpdate{Retention: &storage.ObjectRetention{Mode: mode, RetainUntil: until}})
		if err == nil {
			return nil
		}
		err = b.fail(ctx, "retain", key, err)
		if !errors.Is(err, bucket.ErrExists) { // the condition did not fail
			return err
		}
		if n == attempts {
			return b.refuse("retain", key, bucket.ErrUnavailable, fmt.Sprintf("its metadata was changed by others during each of %d tries", n))
		}
	}
}

// Lock asks for the bucket's retention policy, its object retention and its
// versioning, which takes storage.buckets.get. Mode tells whether the policy can
// still be shortened or removed: "locked" or "unlocked".
func (b *Bucket) Lock(ctx context.Context) (bucket.Lock, error) {
	c, err := b.connected(ctx)
	if err != nil {
		return bucket.Lock{}, b.fail(ctx, "read the lock of", "", err)
	}
	a, err := c.bucket.Attrs(ctx)
	if err != nil {
		return bucket.Lock{}, b.fail(ctx, "read the lock of", "", err)
	}
	lock := bucket.Lock{Enabled: a.ObjectRetentionMode == "Enabled", Versioning: a.VersioningEnabled}
	if p := a.RetentionPolicy; p != nil {
		lock.Enabled, lock.Default, lock.Mode = true, p.RetentionPeriod, "unlocked"
		if p.IsLocked {
			lock.Mode = "locked"
		}
	}
	return lock, nil
}
