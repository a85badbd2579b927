package filebucket

import (
	"context"
	"iter"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

var _ bucket.Inspector = (*Bucket)(nil)

// Try always answers ErrInvalid: a directory has no rights of single names.
// Whoever may write into it may do everything, in spite of the driver's manners.
func (b *Bucket) Try(ctx context.Context, _ bucket.Attempt, key string) error {
	return b.cannot(ctx, "try", key, "a directory knows no rights of single names: who may write into it may also seal and delete; give it to another user, or use a cloud")
}

// Clock is this machine's.
func (b *Bucket) Clock(ctx context.Context) (time.Time, error) {
	_, err := b.enter(ctx, "read the clock of", "")
	return b.now(), err
}

// Expiry always answers ErrInvalid: a directory is emptied by a program, which
// is not seen here.
func (b *Bucket) Expiry(ctx context.Context) (time.Duration, error) {
	return 0, b.cannot(ctx, "read the lifecycle of", "", "a directory has no lifecycle rules; have cron delete what is older than 30 days or so")
}

func (b *Bucket) cannot(ctx context.Context, op, key, why string) error {
	if _, err := b.enter(ctx, op, key); err != nil {
		return err
	}
	return &bucket.Error{Op: op, Key: b.at(key), Kind: bucket.ErrInvalid, Code: why}
}

// Unfinished yields nothing: what a writer left half written has no key, and is
// removed at the first use a day later.
func (b *Bucket) Unfinished(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if _, err := b.enter(ctx, "list the uploads of", prefix); err != nil {
			yield(bucket.Object{}, err)
		}
	}
}
