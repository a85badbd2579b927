package gcsbucket

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
)

// Put replaces key by body in one request, without a condition. That is sent
// again only when the store said that it did nothing (429). After any other
// failure it may have been done, and somebody else's write may stand on top of
// it by now: so the next try looks first, and replaces nothing but what it saw.
//
// GCS lets one object be written about once a second; more is told as 429.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) (bucket.Object, error) {
	c, err := b.connected(ctx)
	if err != nil {
		return bucket.Object{}, b.fail(ctx, "write", key, err)
	}
	crc := crc32.Checksum(body, castagnoli)
	var condition storage.Conditions
	look := false
	var made *storage.ObjectAttrs
	err = b.try(ctx, func() (err error) {
		if look {
			var done bool
			if made, done, err = b.lookBeforePut(ctx, c, key, body, &condition); done || err != nil {
				return err
			}
		}
		made, err = b.insert(ctx, c, key, body, condition, storage.ObjectAttrs{})
		var answer *googleapi.Error
		answered := errors.As(err, &answer)
		look = look || err != nil && !(answered && answer.Code == 429)
		if answered && answer.Code == 412 { // somebody was faster: look again
			return &lostRace{err}
		}
		return err
	})
	var race *lostRace
	switch {
	case errors.As(err, &race):
		return bucket.Object{}, b.refuse("write", key, bucket.ErrUnavailable, "412: others keep writing it")
	case err != nil:
		return bucket.Object{}, b.fail(ctx, "write", key, err)
	}
	return b.made(ctx, key, made, int64(len(body)), crc)
}

// lostRace is a condition that failed because of somebody else's write.
type lostRace struct{ answer error }

func (e *lostRace) Error() string { return e.answer.Error() }

// lookBeforePut tells whether body stands under key already, and else sets the
// condition under which it may be written.
func (b *Bucket) lookBeforePut(ctx context.Context, c *client, key string, body []byte, condition *storage.Conditions) (*storage.ObjectAttrs, bool, error) {
	there, err := b.object(c, key).Retryer(storage.WithPolicy(storage.RetryNever)).Attrs(ctx)
	switch {
	case errors.Is(err, storage.ErrObjectNotExist):
		*condition = storage.Conditions{DoesNotExist: true}
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	have := b.describe(there)
	if have.Size == int64(len(body)) && have.CRC32C == fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)) && len(there.Metadata) == 0 {
		return there, true, nil
	}
	*condition = storage.Conditions{GenerationMatch: there.Generation}
	return nil, false, nil
}

// generation is a version as GCS numbers them. What is no number was never one.
func generation(version string) (int64, bool) {
	n, err := strconv.ParseInt(version, 10, 64)
	return n, err == nil && n > 0
}
