package finalizer

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// errSpent: the requests that one step of a sweep may send are used up.
var errSpent = fmt.Errorf("it takes more requests than one backup may take of a sweep: %w", bucket.ErrThrottled)

// meter counts requests, and refuses them past a limit.
type meter struct {
	used  atomic.Int64
	limit int64
}

func (m *meter) take() error {
	if m.used.Add(1) > m.limit {
		return errSpent
	}
	return nil
}

// perPage is how many entries of a listing count as one request: the stores' own
// pages are no shorter.
const perPage = 1000

// metered is a bucket whose requests are counted, but for Put: a look at one
// backup makes two at most.
type metered struct {
	bucket.Bucket
	m *meter
}

func (b metered) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	if err := b.m.take(); err != nil {
		return bucket.Object{}, err
	}
	return b.Bucket.Create(ctx, key, r, o)
}

func (b metered) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if err := b.m.take(); err != nil {
		return nil, bucket.Object{}, err
	}
	return b.Bucket.Open(ctx, key, version, offset, length)
}

func (b metered) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	if err := b.m.take(); err != nil {
		return bucket.Object{}, err
	}
	return b.Bucket.Stat(ctx, key, version)
}

func (b metered) Retain(ctx context.Context, key, version string, until time.Time) error {
	if err := b.m.take(); err != nil {
		return err
	}
	return b.Bucket.Retain(ctx, key, version, until)
}

func (b metered) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return paged(b.m, b.Bucket.List(ctx, prefix))
}

func (b metered) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return paged(b.m, b.Bucket.ListVersions(ctx, prefix))
}

func (b metered) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return paged(b.m, b.Bucket.Dirs(ctx, prefix))
}

func paged[T any](m *meter, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := m.take(); err != nil {
			yield(none, err)
			return
		}
		n := 0
		for v, err := range list {
			if n++; n%perPage == 0 && err == nil {
				if err := m.take(); err != nil {
					yield(none, err)
					return
				}
			}
			if !yield(v, err) {
				return
			}
		}
	}
}
