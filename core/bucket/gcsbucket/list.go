package gcsbucket

import (
	"context"
	"errors"
	"iter"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/pgseal/pgseal/core/bucket"
)

// shown is what a listing is asked for: all that describe needs.
var shown = []string{
	"Name", "Size", "Generation", "MD5", "CRC32C", "StorageClass", "Created", "Deleted", "Metadata",
	"Retention", "RetentionExpirationTime", "KMSKeyName", "CustomerKeySHA256",
}

// List yields current objects, 1,000 to a request, with checksum, metadata and
// retention.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for a, err := range b.listed(ctx, prefix, storage.Query{}) {
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			if !yield(b.describe(a), nil) {
				return
			}
		}
	}
}

// ListVersions yields all generations. GCS lists those of one name from the
// oldest to the newest; they are turned around, a name at a time. It has no
// delete markers: what was deleted has only no current generation.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		var same []*storage.ObjectAttrs // the generations of one name
		flush := func() bool {
			for i := len(same) - 1; i >= 0; i-- {
				if !yield(b.describe(same[i]), nil) {
					return false
				}
			}
			same = same[:0]
			return true
		}
		for a, err := range b.listed(ctx, prefix, storage.Query{Versions: true}) {
			if err != nil {
				if flush() {
					yield(bucket.Object{}, err)
				}
				return
			}
			if len(same) > 0 && same[0].Name != a.Name && !flush() {
				return
			}
			same = append(same, a)
		}
		flush()
	}
}

// Dirs yields the names directly below prefix.
func (b *Bucket) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for a, err := range b.listed(ctx, prefix, storage.Query{Delimiter: "/"}) {
			if err != nil {
				yield("", err)
				return
			}
			if a.Prefix == "" {
				continue // an object
			}
			dir := strings.TrimPrefix(strings.TrimPrefix(a.Prefix, b.prefix), prefix)
			if !yield(strings.TrimSuffix(dir, "/"), nil) {
				return
			}
		}
	}
}

// listed yields what the query finds below prefix.
func (b *Bucket) listed(ctx context.Context, prefix string, q storage.Query) iter.Seq2[*storage.ObjectAttrs, error] {
	return func(yield func(*storage.ObjectAttrs, error) bool) {
		c, err := b.connected(ctx)
		if err == nil {
			q.Prefix, q.Projection = b.prefix+prefix, storage.ProjectionNoACL
			err = q.SetAttrSelection(shown)
		}
		if err != nil {
			yield(nil, b.fail(ctx, "list", prefix, err))
			return
		}
		objects := c.bucket.Objects(ctx, &q)
		for {
			a, err := objects.Next()
			if errors.Is(err, iterator.Done) {
				return
			}
			if err != nil {
				yield(nil, b.fail(ctx, "list", prefix, err))
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}
