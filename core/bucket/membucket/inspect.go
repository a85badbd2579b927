package membucket

import (
	"context"
	"iter"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

var _ bucket.Inspector = (*Bucket)(nil)

// Try as the interface says: nothing is ever done, only what it would meet is
// told.
func (b *Bucket) Try(ctx context.Context, a bucket.Attempt, key string) error {
	return b.do(ctx, Call{"try", key}, func() error {
		s := b.s
		switch there := s.current(key); {
		case s.o.Denied:
			return s.fail("try", key, bucket.ErrDenied, "403 AccessDenied")
		case a == bucket.ToOverwrite && s.o.Personality == Azure && there == nil:
			return s.fail("try", key, bucket.ErrNotFound, "404 BlobNotFound")
		case (a == bucket.ToOverwrite || a == bucket.ToDelete) && s.o.Personality != S3 && s.retained(there):
			return s.fail("try", key, bucket.ErrRetained, s.refusal())
		}
		return nil
	})
}

// Clock is Options.Now.
func (b *Bucket) Clock(ctx context.Context) (now time.Time, err error) {
	err = b.do(ctx, Call{"clock", ""}, func() error { now = b.s.o.Now(); return nil })
	return now, err
}

// Expiry: there are no lifecycle rules.
func (b *Bucket) Expiry(ctx context.Context) (time.Duration, error) {
	return 0, b.do(ctx, Call{"expiry", ""}, func() error { return nil })
}

// Unfinished: none is kept.
func (b *Bucket) Unfinished(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if err := b.do(ctx, Call{"unfinished", prefix}, func() error { return nil }); err != nil {
			yield(bucket.Object{}, err)
		}
	}
}
