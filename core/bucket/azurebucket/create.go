package azurebucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumName is the metadata that holds the whole blob's CRC-32C. Azure verifies a
// digest of every block as it arrives (MD5 of a blob sent whole, CRC-64 of each
// block), but computes none of the whole and knows no CRC-32C: so this one is
// the uploader's own, taken over the same bytes that the store then verified.
// Nobody can change it later without the blob's ETag changing, and in a locked
// container nobody can change it at all.
const sumName = "pgseal_crc32c"

// Create sends a body of up to PartSize bytes (0: 8 MiB) in one Put Blob, a
// longer one in blocks and a Put Block List; both with If-None-Match: *. It
// holds PartsInFlight * PartSize bytes, and more when blocks have to grow,
// see blockSizes.
//
// When the answer to the last request is lost, the SDK sends it again and the
// store answers 409: that is ErrExists or ErrRetained here, and the caller's
// comparison finds its own bytes. Blocks that nobody commits are no blob, cannot
// be deleted, and are dropped by Azure within a week.
//
// RetainUntil is set on the blob where the container has version-level
// immutability. A container's policy gives every blob the same period: an end
// that it covers is accepted, a later one is ErrInvalid, and so is any end when
// nobody has stated the period.
//
// Create looks at ctx between reads; a reader that blocks delays its return.
func (b *Bucket) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	lock, err := b.lockFor(ctx, key, o.RetainUntil)
	if err != nil {
		return bucket.Object{}, err
	}
	size := o.PartSize
	if size <= 0 {
		size = 8 << 20
	}
	buf, rest, done, err := b.buffers.Begin(ctx, r, size)
	switch {
	case err != nil:
		return bucket.Object{}, body.Error(ctx, b.name(key), err)
	case rest != nil && o.SingleShot:
		done()
		return bucket.Object{}, b.refuse("create", key, bucket.ErrTooLarge, fmt.Sprintf("more than the %d bytes of one request", size))
	case rest != nil:
		return b.createInBlocks(ctx, key, buf, rest, o, lock)
	}
	defer done()
	return b.put(ctx, "create", key, buf, &blockblob.UploadOptions{
		AccessConditions: ifNew(), Metadata: metadata(o.Metadata), Tags: b.allTags(o.Tags),
		ImmutabilityPolicyMode: lock.mode, ImmutabilityPolicyExpiryTime: lock.until,
	})
}

// Put replaces key by body in one request.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) (bucket.Object, error) {
	return b.put(ctx, "write", key, body, &blockblob.UploadOptions{Metadata: metadata(nil)})
}

// put sends all of body with its MD5, which the store checks and keeps.
func (b *Bucket) put(ctx context.Context, op, key string, body []byte, o *blockblob.UploadOptions) (bucket.Object, error) {
	sum := md5.Sum(body)
	crc := hexCRC(crc32.Checksum(body, castagnoli))
	o.TransactionalValidation = blob.TransferValidationTypeMD5(sum[:])
	o.Metadata[sumName] = to.Ptr(crc)
	o.CPKScopeInfo = b.scope
	out, err := b.blocks(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), o)
	if err != nil {
		return bucket.Object{}, b.failWrite(ctx, op, key, err)
	}
	return made(key, int64(len(body)), crc, out.ETag, out.VersionID, out.EncryptionScope), nil
}

// failWrite is fail, but that who may add blobs and not replace them is told by
// a create that he lacks the right to, where he should be told that a blob is
// there ("Authorization" of Put Blob in the REST reference, 2026-11: a new blob
// takes add/action or write, an existing one write; unverified which Azure looks
// at first).
func (b *Bucket) failWrite(ctx context.Context, op, key string, err error) error {
	if op != "create" || !bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) {
		return b.fail(ctx, op, key, err)
	}
	if _, there := b.blocks(key).GetProperties(ctx, nil); there != nil {
		return b.fail(ctx, op, key, err)
	}
	return &bucket.Error{Op: op, Key: b.name(key), Kind: bucket.ErrExists, Code: "403: these credentials may not replace a blob, and one is there", Err: err}
}

func made(key string, size int64, crc string, etag *azcore.ETag, version, scope *string) bucket.Object {
	return bucket.Object{Key: key, Size: size, Version: deref(version), ETag: unquote(etag), CRC32C: crc, Encryption: deref(scope), Latest: true}
}

// ifNew is If-None-Match: *.
func ifNew() *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
}

// metadata writes names as Azure takes them: C# identifiers, in which there is
// no '-'. What package bucket allows as names has no '_', so that the way back
// is clear.
func metadata(given map[string]string) map[string]*string {
	m := make(map[string]*string, len(given)+1)
	for k, v := range given {
		m[strings.ReplaceAll(k, "-", "_")] = to.Ptr(v)
	}
	return m
}

func (b *Bucket) allTags(more map[string]string) map[string]string {
	if len(b.tags)+len(more) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, tags := range []map[string]string{b.tags, more} {
		for k, v := range tags {
			all[k] = v
		}
	}
	return all
}

func (b *Bucket) blocks(key string) *blockblob.Client {
	return b.client.NewBlockBlobClient(b.full(key))
}

func hexCRC(crc uint32) string {
	return hex.EncodeToString([]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)})
}

func unquote(etag *azcore.ETag) string { return strings.Trim(string(deref(etag)), `"`) }

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// CheckCreate asks for a blob of a block that does not exist. Azure first
// decides whether the caller may write there, and then refuses the list: nothing
// is stored, no block either, so that it leaves no trace in a locked container.
// It takes the permission that archives take (blobs/write); for a key of which
// only new blobs in one request are allowed (blobs/add/action) it may answer
// ErrDenied although Create is allowed.
func (b *Bucket) CheckCreate(ctx context.Context, key string) error {
	_, err := b.blocks(key).CommitBlockList(ctx, []string{newBlocks().id(0)}, &blockblob.CommitBlockListOptions{AccessConditions: ifNew(), CPKScopeInfo: b.scope})
	switch {
	case bloberror.HasCode(err, bloberror.InvalidBlockList):
		return nil
	case err == nil:
		return b.refuse("check", key, bucket.ErrInvalid, "the store made a blob of a block that it does not have")
	}
	if err = b.fail(ctx, "check", key, err); bucket.Exists(err) {
		return nil // it got as far as the condition
	}
	return err
}

// expiry is a policy for a single version, as requests carry it.
type expiry struct {
	until *time.Time
	mode  *blob.ImmutabilityPolicySetting
}
