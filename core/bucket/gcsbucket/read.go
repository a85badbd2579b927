package gcsbucket

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
)

// Stat asks for what GCS keeps of one generation of key.
func (b *Bucket) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	_, a, err := b.stat(ctx, "read", key, version)
	if err != nil {
		return bucket.Object{}, err
	}
	obj := b.describe(a)
	obj.Latest = obj.Latest || version == ""
	return obj, nil
}

func (b *Bucket) stat(ctx context.Context, op, key, version string) (*client, *storage.ObjectAttrs, error) {
	c, err := b.connected(ctx)
	if err != nil {
		return nil, nil, b.fail(ctx, op, key, err)
	}
	o, err := b.version(c, op, key, version)
	if err != nil {
		return nil, nil, err
	}
	a, err := o.Attrs(ctx)
	if err != nil {
		return nil, nil, b.fail(ctx, op, key, err)
	}
	return c, a, nil
}

func (b *Bucket) version(c *client, op, key, version string) (*storage.ObjectHandle, error) {
	o := b.object(c, key)
	if version == "" {
		return o, nil
	}
	n, ok := generation(version)
	if !ok {
		return nil, b.refuse(op, key, bucket.ErrNotFound, fmt.Sprintf("%.30q is no generation", version))
	}
	return o.Generation(n), nil
}

// describe is what GCS says of an object, in an answer as in a listing.
//
// The ETag is the MD5, as in GCS's XML API: what the JSON API calls etag changes
// with every change of the metadata, a longer retention among them, while the
// bytes stay the same. Neither MD5 nor CRC-32C are in listings when the object
// is encrypted with a Cloud KMS key, nor without the key when it is the writer's
// own; then both are "".
func (b *Bucket) describe(a *storage.ObjectAttrs) bucket.Object {
	obj := bucket.Object{
		Key: strings.TrimPrefix(a.Name, b.prefix), Size: a.Size, Version: fmt.Sprint(a.Generation), ETag: hex.EncodeToString(a.MD5),
		Class: a.StorageClass, Created: a.Created, Latest: a.Deleted.IsZero(), Metadata: a.Metadata,
		RetainUntil: retainUntil(a), RetentionSeen: true,
	}
	// The library has 0 for "none", which is the sum of no bytes, too.
	if a.CRC32C != 0 || len(a.MD5) > 0 {
		obj.CRC32C = fmt.Sprintf("%08x", a.CRC32C)
	}
	if obj.Class == "STANDARD" {
		obj.Class = ""
	}
	switch {
	case a.KMSKeyName != "":
		obj.Encryption = "kms:" + keyWithoutVersion(a.KMSKeyName)
	case a.CustomerKeySHA256 != "":
		obj.Encryption = "customer"
	}
	return obj
}

// keyWithoutVersion: GCS tells which version of the key was used, which changes
// with every rotation.
func keyWithoutVersion(name string) string {
	key, _, _ := strings.Cut(name, "/cryptoKeyVersions/")
	return key
}

// Open asks for the object's description, then for the bytes of that very
// generation: an answer with content shows neither retention nor the time of
// creation.
func (b *Bucket) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if offset < 0 || length < -1 {
		return nil, bucket.Object{}, b.refuse("read", key, bucket.ErrInvalid, fmt.Sprintf("no range: %d bytes from %d", length, offset))
	}
	c, a, err := b.stat(ctx, "read", key, version)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	obj := b.describe(a)
	obj.Latest = obj.Latest || version == ""
	if length > math.MaxInt64-offset {
		length = -1
	}
	if length == 0 || offset >= obj.Size { // which HTTP cannot say
		return http.NoBody, obj, nil
	}
	r, err := b.object(c, key).Generation(a.Generation).NewRangeReader(ctx, offset, length)
	if err != nil {
		return nil, bucket.Object{}, b.fail(ctx, "read", key, err)
	}
	return &download{Reader: r, ctx: ctx, b: b, key: key}, obj, nil
}

// download gives the errors of a download their kind.
type download struct {
	*storage.Reader
	ctx context.Context
	b   *Bucket
	key string
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = d.b.failBody(d.ctx, d.key, err)
	}
	return n, err
}

// failBody is fail: but whatever goes wrong with bytes that are under way, a
// wrong checksum among it, is no refusal.
func (b *Bucket) failBody(ctx context.Context, key string, err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) || ctx.Err() != nil {
		return b.fail(ctx, "read", key, err)
	}
	return &bucket.Error{Op: "read", Key: b.name(key), Kind: bucket.ErrUnavailable, Code: "broken off: " + oneLine(rootCause(err)), Err: err}
}
