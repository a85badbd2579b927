package azurebucket

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/pgseal/pgseal/core/bucket"
)

var _ bucket.Inspector = (*Bucket)(nil)

// noETag is one that no blob has: Azure's are hexadecimal numbers, made of times.
const noETag azcore.ETag = `"pgseal-doctor"`

// Try asks for what a host must not be able to do. Azure looks at the rights, and
// what follows then cannot be obeyed:
//
//   - to create: a blob whose MD5 is another one than its header says ("Put Blob"
//     in the REST reference, 2026-11: 400 Md5Mismatch); and a list of a block that
//     does not exist, see CheckCreate. The one takes blobs/add/action or
//     blobs/write, the other blobs/write;
//   - to overwrite: such a list over a blob that is there, on the condition of an
//     ETag that no blob has ("Put Block List", 2026-11: 400 or 412). A container's
//     policy answers 409 before (unverified that it does so first);
//   - to delete: under the same condition ("Delete Blob", 2026-11: 404 or 412).
//
// Lock, versions and lifecycle are changed by the management API alone, which no
// credentials for blobs open.
func (b *Bucket) Try(ctx context.Context, a bucket.Attempt, key string) error {
	switch a {
	case bucket.ToCreate:
		if err := b.tryCreate(ctx, key); !errors.Is(err, bucket.ErrDenied) {
			return err
		}
		return b.CheckCreate(ctx, key)
	case bucket.ToOverwrite:
		if _, err := b.blocks(key).GetProperties(ctx, nil); err != nil {
			return b.failRead(ctx, "try", key, "", err)
		}
		_, err := b.blocks(key).CommitBlockList(ctx, []string{newBlocks().id(0)}, &blockblob.CommitBlockListOptions{
			AccessConditions: ifETag(noETag), CPKScopeInfo: b.scope,
		})
		return b.tried(ctx, key, err)
	case bucket.ToDelete:
		_, err := b.blocks(key).Delete(ctx, &blob.DeleteOptions{AccessConditions: ifETag(noETag)})
		return b.tried(ctx, key, err)
	}
	return b.refuse("try", key, bucket.ErrInvalid, "only Azure's management API can "+string(a)+", and these requests do not reach it: look at who administers the storage account")
}

func (b *Bucket) tryCreate(ctx context.Context, key string) error {
	body := []byte("pgseal doctor: never stored, as its MD5 is wrong\n")
	_, err := b.blocks(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), &blockblob.UploadOptions{
		AccessConditions: ifNew(), CPKScopeInfo: b.scope, TransactionalValidation: blob.TransferValidationTypeMD5(make([]byte, 16)),
	})
	return b.tried(ctx, key, err)
}

// ifETag is If-Match.
func ifETag(tag azcore.ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: to.Ptr(tag)}}
}

// tried makes an answer one of those that Try promises: Azure has looked at the
// rights, and met what is wrong with the request.
func (b *Bucket) tried(ctx context.Context, key string, err error) error {
	if err == nil || bloberror.HasCode(err, bloberror.MD5Mismatch, bloberror.InvalidBlockList, bloberror.BlobNotFound, bloberror.ConditionNotMet, bloberror.BlobAlreadyExists) {
		return nil
	}
	return b.fail(ctx, "try", key, err)
}

// Clock asks for the container's properties, and takes the time of the answer.
func (b *Bucket) Clock(ctx context.Context) (time.Time, error) {
	out, err := b.client.GetProperties(ctx, nil)
	var answer *azcore.ResponseError
	switch {
	case err == nil && out.Date != nil:
		return *out.Date, nil
	case errors.As(err, &answer) && answer.RawResponse != nil && answer.StatusCode != http.StatusNotFound:
		if now, parseErr := http.ParseTime(answer.RawResponse.Header.Get("Date")); parseErr == nil {
			return now, nil
		}
	}
	if err == nil {
		return time.Time{}, b.refuse("read the clock of", "", bucket.ErrInvalid, "the answer has no date")
	}
	return time.Time{}, b.fail(ctx, "read the clock of", "", err)
}

// Expiry cannot be seen: lifecycle rules belong to the storage account, and only
// Azure's management API shows them.
func (b *Bucket) Expiry(ctx context.Context) (time.Duration, error) {
	if _, err := b.client.GetProperties(ctx, nil); err != nil {
		return 0, b.fail(ctx, "read the lifecycle of", "", err)
	}
	return 0, b.refuse("read the lifecycle of", "", bucket.ErrInvalid, "only Azure's management API shows lifecycle rules: az storage account management-policy show")
}

// Unfinished yields nothing: blocks that nobody commits are no blobs, and Azure
// drops them by itself after a week.
func (b *Bucket) Unfinished(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if ctx.Err() != nil {
			yield(bucket.Object{}, b.fail(ctx, "list the uploads of", prefix, ctx.Err()))
		}
	}
}
