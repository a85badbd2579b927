package gcsbucket

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"time"

	"cloud.google.com/go/storage"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Chunks of an upload in several requests are a multiple of this long
// ("Resumable uploads" in the Cloud Storage documentation).
const (
	chunkUnit   = 256 << 10
	defaultPart = 8 << 20
)

// Create sends a body of up to PartSize bytes (0: 8 MiB) in one request, a
// longer one in an upload of several, see createInChunks; both with
// ifGenerationMatch=0 and with the CRC-32C of the whole, which the store checks
// before the object appears. Unless SingleShot is set, a PartSize counts as the
// next multiple of 256 KiB.
//
// When the answer to the last request is lost, it is sent again and the store
// answers 412: that is ErrExists here, and the caller's comparison finds its
// own bytes.
//
// Create looks at ctx between reads; a reader that blocks delays its return.
func (b *Bucket) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	size := o.PartSize
	if size <= 0 {
		size = defaultPart
	}
	if !o.SingleShot {
		size = (size + chunkUnit - 1) / chunkUnit * chunkUnit
	}
	c, err := b.connected(ctx)
	if err != nil {
		return bucket.Object{}, b.fail(ctx, "create", key, err)
	}
	buf, rest, done, err := b.buffers.Begin(ctx, r, size)
	switch {
	case err != nil:
		return bucket.Object{}, body.Error(ctx, b.name(key), err)
	case rest != nil && o.SingleShot:
		done()
		return bucket.Object{}, b.refuse("create", key, bucket.ErrTooLarge, fmt.Sprintf("more than the %d bytes of one request", size))
	case rest != nil:
		return b.createInChunks(ctx, c, key, buf, rest, o)
	}
	defer done()
	var made *storage.ObjectAttrs
	err = b.try(ctx, func() error {
		made, err = b.insert(ctx, c, key, buf, storage.Conditions{DoesNotExist: true}, b.attributes(o))
		return err
	})
	if err != nil {
		return bucket.Object{}, b.fail(ctx, "create", key, err)
	}
	return b.made(ctx, key, made, int64(len(buf)), crc32.Checksum(buf, castagnoli))
}

// attributes are what an object is made with besides its content.
func (b *Bucket) attributes(o bucket.CreateOptions) storage.ObjectAttrs {
	a := storage.ObjectAttrs{}
	if n := len(b.options.Tags) + len(o.Tags) + len(o.Metadata); n > 0 {
		a.Metadata = make(map[string]string, n)
		maps.Copy(a.Metadata, b.options.Tags)
		maps.Copy(a.Metadata, o.Tags)
		maps.Copy(a.Metadata, o.Metadata)
	}
	if !o.RetainUntil.IsZero() {
		a.Retention = &storage.ObjectRetention{Mode: b.lockMode, RetainUntil: wholeSecond(o.RetainUntil)}
	}
	return a
}

// wholeSecond rounds up: the library writes times in whole seconds, and a lock
// must not end before it was asked to.
func wholeSecond(t time.Time) time.Time {
	return t.Add(time.Second - 1).UTC().Truncate(time.Second)
}

// writer sends an object under a condition; retry says what it sends again.
func (b *Bucket) writer(ctx context.Context, c *client, key string, condition storage.Conditions, attributes storage.ObjectAttrs, retry storage.RetryOption) *storage.Writer {
	o := b.object(c, key).Retryer(retry)
	if condition != (storage.Conditions{}) {
		o = o.If(condition)
	}
	w := o.NewWriter(ctx)
	attributes.Name = w.Name
	attributes.ContentType = "application/octet-stream" // else it is guessed from the first bytes
	attributes.KMSKeyName = b.options.KMSKeyName
	w.ObjectAttrs = attributes
	return w
}

// insert makes an object by exactly one request, with its checksum in front.
func (b *Bucket) insert(ctx context.Context, c *client, key string, body []byte, condition storage.Conditions, attributes storage.ObjectAttrs) (*storage.ObjectAttrs, error) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	w := b.writer(ctx, c, key, condition, attributes, storage.WithPolicy(storage.RetryNever)) // who has the bytes sends them again
	w.ChunkSize = 0
	w.SendCRC32C, w.CRC32C = true, crc32.Checksum(body, castagnoli)
	if _, err := w.Write(body); err != nil {
		giveUp()      // before Close, which would end the body as if it were whole
		_ = w.Close() // says the same
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// made describes a new object. The store has checked the sum before it answered;
// should it report another one all the same, the object is wrong and, in a
// vault, there to stay, so that trying again cannot help.
func (b *Bucket) made(ctx context.Context, key string, a *storage.ObjectAttrs, size int64, crc uint32) (bucket.Object, error) {
	obj := b.describe(a)
	if obj.CRC32C == "" { // not told of this one in an answer to a write
		seen, err := b.Stat(ctx, key, obj.Version)
		if err != nil {
			return bucket.Object{}, err
		}
		obj = seen
	}
	if sum := fmt.Sprintf("%08x", crc); obj.Size != size || obj.CRC32C != sum {
		return bucket.Object{}, b.refuse("create", key, bucket.ErrInvalid, fmt.Sprintf(
			"%d bytes with CRC-32C %s were sent, and the store keeps %d with %s under generation %s: this object is damaged, and may be locked; make a new backup",
			size, sum, obj.Size, obj.CRC32C, obj.Version))
	}
	return obj, nil
}
