package azurebucket

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/pgseal/pgseal/core/bucket"
)

// Remover is the deleting side of b. It takes blobs/delete, of versions
// blobs/deleteBlobVersion/action.
func Remover(b *Bucket) bucket.Remover { return remover{b} }

type remover struct{ b *Bucket }

// Removable asks for the blob's properties and the container's. Where a policy's
// period is not stated, its end cannot be seen, and Remove finds it out.
func (r remover) Removable(ctx context.Context, o bucket.Object) error {
	client, err := r.b.blob(o.Key, o.Version)
	if err != nil {
		return err
	}
	out, err := client.GetProperties(ctx, nil)
	if err != nil {
		return r.b.failRead(ctx, "remove", o.Key, o.Version, err)
	}
	l, err := r.b.containerLock(ctx)
	if err != nil {
		return r.b.fail(ctx, "remove", o.Key, err)
	}
	seen := bucket.Object{Created: created(out.CreationTime, out.LastModified)}
	l.show(&seen, ownPolicy(out.ImmutabilityPolicyExpiresOn, out.ImmutabilityPolicyMode))
	switch {
	case l.hold || deref(out.LegalHold):
		return r.b.refuse("remove", o.Key, bucket.ErrRetained, "a legal hold, which has no end")
	case seen.RetainUntil.After(time.Now()):
		return r.b.refuse("remove", o.Key, bucket.ErrRetained, "until "+stamp(seen.RetainUntil))
	}
	return nil
}

// Remove names the version, or where there are none the ETag, as condition.
func (r remover) Remove(ctx context.Context, o bucket.Object) error {
	client, err := r.b.blob(o.Key, o.Version)
	if err != nil {
		return err
	}
	options := &blob.DeleteOptions{}
	if o.Version == "" {
		if o.ETag == "" {
			return r.b.refuse("remove", o.Key, bucket.ErrInvalid, "only a blob that was seen is removed, and there is no ETag")
		}
		options.AccessConditions = ifETag(azcore.ETag(`"` + o.ETag + `"`))
	}
	if _, err := client.Delete(ctx, options); err != nil {
		err = r.b.failRead(ctx, "remove", o.Key, o.Version, err)
		if errors.Is(err, bucket.ErrExists) { // the condition failed: other bytes stand there, or none
			if _, err := client.GetProperties(ctx, nil); err != nil {
				return r.b.failRead(ctx, "remove", o.Key, "", err)
			}
			return r.b.refuse("remove", o.Key, bucket.ErrDiffers, "it was written anew")
		}
		return err
	}
	return nil
}

// Hide is refused: with versions a delete of the name makes the current one an
// earlier one, and without them it is for good.
func (r remover) Hide(_ context.Context, key string) error {
	return r.b.refuse("hide", key, bucket.ErrInvalid, "Azure has no delete markers")
}
