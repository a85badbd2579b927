package azurebucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/pgseal/pgseal/core/bucket"
)

// Stat asks for one version of key with HEAD, and for the container's lock.
func (b *Bucket) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	o, own, err := b.stat(ctx, key, version)
	if err != nil {
		return bucket.Object{}, err
	}
	lock, err := b.seenLock(ctx, "read", key)
	if err != nil {
		return bucket.Object{}, err
	}
	lock.show(&o, own.until)
	o.Created = written(o.Created, own.changed)
	return o, nil
}

// stat gives the blob, and the policy that this version has of its own. Created
// is the blob's creation, from which a container's policy counts.
func (b *Bucket) stat(ctx context.Context, key, version string) (o bucket.Object, own ownExpiry, err error) {
	client, err := b.blob(key, version)
	if err != nil {
		return bucket.Object{}, ownExpiry{}, err
	}
	out, err := client.GetProperties(ctx, nil)
	if err != nil {
		return bucket.Object{}, ownExpiry{}, b.failRead(ctx, "read", key, version, err)
	}
	if err := b.answersFor(key, version, out.VersionID, out.EncryptionKeySHA256); err != nil {
		return bucket.Object{}, ownExpiry{}, err
	}
	if until := ownPolicy(out.ImmutabilityPolicyExpiresOn, out.ImmutabilityPolicyMode); until != nil {
		own.expiry = expiry{until: until, mode: to.Ptr(blob.ImmutabilityPolicySetting(deref(out.ImmutabilityPolicyMode)))}
	}
	own.changed = out.LastModified
	o = bucket.Object{
		Key: key, Size: deref(out.ContentLength), Version: deref(out.VersionID), ETag: unquote(out.ETag),
		Class: class(deref(out.AccessTier), out.AccessTierInferred), Encryption: deref(out.EncryptionScope),
		Created: created(out.CreationTime, out.LastModified), Latest: version == "" || deref(out.IsCurrentVersion),
	}
	o.Metadata, o.CRC32C = labels(out.Metadata, deref(out.BlobType))
	return o, own, nil
}

func (b *Bucket) blob(key, version string) (*blob.Client, error) {
	client := b.client.NewBlobClient(b.full(key))
	if version == "" {
		return client, nil
	}
	client, err := client.WithVersionID(version)
	if err != nil {
		return nil, b.refuse("read", key, bucket.ErrNotFound, fmt.Sprintf("%q is no version", version))
	}
	return client, nil
}

// answersFor refuses an answer about something else than what was asked for. An
// account without versions may ignore that one was asked for, and of a blob
// under a key of its writer's the store shows only that.
func (b *Bucket) answersFor(key, asked string, got, customerKey *string) error {
	if asked != "" && deref(got) != asked {
		return b.refuse("read", key, bucket.ErrNotFound, fmt.Sprintf("there is no version %q of it", asked))
	}
	if customerKey != nil {
		return b.refuse("read", key, bucket.ErrInvalid, "it is encrypted with a key that only its writer has")
	}
	return nil
}

// failRead is fail, and knows that a version which cannot be one is 400.
func (b *Bucket) failRead(ctx context.Context, op, key, version string, err error) error {
	failed := b.fail(ctx, op, key, err)
	var e *bucket.Error
	if version != "" && errors.As(failed, &e) && (bloberror.HasCode(err, bloberror.InvalidQueryParameterValue) || e.Kind == bucket.ErrInvalid && strings.HasPrefix(e.Code, "400")) {
		e.Kind = bucket.ErrNotFound
	}
	return failed
}

// Open reads with GET. The Object has the retention only where the blob itself
// shows it: under version-level immutability.
func (b *Bucket) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if offset < 0 || length < -1 {
		return nil, bucket.Object{}, b.refuse("read", key, bucket.ErrInvalid, fmt.Sprintf("no range: %d bytes from %d", length, offset))
	}
	if length == 0 {
		return b.openNothing(ctx, key, version)
	}
	client, err := b.blob(key, version)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	if length == -1 || length > math.MaxInt64-offset {
		length = 0 // the SDK's word for "to the end"
	}
	out, err := client.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: offset, Count: length}})
	if bloberror.HasCode(err, bloberror.InvalidRange) {
		return b.openNothing(ctx, key, version)
	}
	if err != nil {
		return nil, bucket.Object{}, b.failRead(ctx, "read", key, version, err)
	}
	size := deref(out.ContentLength)
	if offset > 0 || length > 0 {
		size, err = wholeSize(out.ContentRange, offset, size)
		if err != nil {
			err = b.refuse("read", key, bucket.ErrInvalid, err.Error())
		}
	}
	if err == nil {
		err = b.answersFor(key, version, out.VersionID, out.EncryptionKeySHA256)
	}
	if err != nil {
		return nil, bucket.Object{}, errors.Join(err, out.Body.Close())
	}
	o := bucket.Object{
		Key: key, Size: size, Version: deref(out.VersionID), ETag: unquote(out.ETag), Encryption: deref(out.EncryptionScope),
		Created: written(created(out.CreationTime, out.LastModified), out.LastModified), Latest: version == "" || deref(out.IsCurrentVersion),
	}
	o.Metadata, o.CRC32C = labels(out.Metadata, deref(out.BlobType))
	if until := ownPolicy(out.ImmutabilityPolicyExpiresOn, out.ImmutabilityPolicyMode); until != nil {
		o.RetainUntil, o.RetentionSeen = *until, true
	}
	return &download{ReadCloser: out.Body, ctx: ctx, b: b, key: key}, o, nil
}

// openNothing is Open for ranges without a byte in them, which HTTP cannot say.
func (b *Bucket) openNothing(ctx context.Context, key, version string) (io.ReadCloser, bucket.Object, error) {
	obj, err := b.Stat(ctx, key, version)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	return http.NoBody, obj, nil
}

// wholeSize takes the size out of "bytes 0-99/1234". A server that leaves out
// the header has sent everything.
func wholeSize(contentRange *string, offset, sent int64) (int64, error) {
	if contentRange == nil && offset == 0 {
		return sent, nil
	}
	_, total, _ := strings.Cut(deref(contentRange), "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil || size < 0 {
		return 0, fmt.Errorf("the answer to a range has Content-Range %q", deref(contentRange))
	}
	return size, nil
}

// download gives the errors of a download their kind.
type download struct {
	io.ReadCloser
	ctx context.Context
	b   *Bucket
	key string
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = d.b.fail(d.ctx, "read", d.key, err)
	}
	return n, err
}

// ownExpiry is a version's own policy, and when the blob was changed last.
type ownExpiry struct {
	expiry
	changed *time.Time
}

// written is when what stands there was stored: a blob that is overwritten keeps
// its creation (unverified), and heartbeats are told by their age. Under a
// container's policy nothing is overwritten, and the two are one.
func written(creation time.Time, change *time.Time) time.Time {
	if change != nil && change.After(creation) {
		return *change
	}
	return creation
}

// created is the creation; older servers know the last change only.
func created(creation, change *time.Time) time.Time {
	if creation != nil {
		return *creation
	}
	return deref(change)
}
