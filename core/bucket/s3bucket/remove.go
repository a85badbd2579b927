package s3bucket

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
)

// Remover is the deleting side of b. Removing takes s3:DeleteObjectVersion,
// hiding s3:DeleteObject.
func Remover(b *Bucket) bucket.Remover { return remover{b} }

type remover struct{ b *Bucket }

// Removable asks with HEAD, and for the retention apart from that when the answer
// shows none. A delete marker has no lock ("Managing delete markers with Object
// Lock" in the user guide, 2026-11).
func (r remover) Removable(ctx context.Context, o bucket.Object) error {
	if o.DeleteMarker {
		return nil
	}
	b := r.b
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.full(o.Key), VersionId: optional(o.Version)})
	if err != nil {
		return b.failRead(ctx, "remove", o.Key, o.Version, b.headCause(ctx, o.Key, o.Version, err))
	}
	if out.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn {
		return b.refuse("remove", o.Key, bucket.ErrRetained, "a legal hold, which has no end")
	}
	until, seen := lockHeaders(out.ObjectLockMode, out.ObjectLockLegalHoldStatus, out.ObjectLockRetainUntilDate)
	if !seen {
		if _, until, seen, err = b.retention(ctx, o.Key, o.Version); err != nil {
			return err
		}
	}
	switch {
	case !seen:
		return b.refuse("remove", o.Key, bucket.ErrDenied, "its lock cannot be seen: it takes "+permissions["GetObjectRetention"])
	case until.After(time.Now()):
		return b.refuse("remove", o.Key, bucket.ErrRetained, "until "+until.UTC().Format(time.RFC3339))
	}
	return nil
}

// Remove names the version, always: a delete without one hides what is there
// behind a delete marker. A bucket without versions has the version "null" of
// every key. The header that bypasses GOVERNANCE is never sent.
func (r remover) Remove(ctx context.Context, o bucket.Object) error {
	b := r.b
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &b.bucket, Key: b.full(o.Key), VersionId: aws.String(cmp.Or(o.Version, "null")),
	})
	if err != nil {
		return b.failRead(ctx, "remove", o.Key, o.Version, err)
	}
	return nil
}

// Hide deletes without a version. In a bucket without versions that would delete
// for good, so it is asked first.
func (r remover) Hide(ctx context.Context, key string) error {
	b := r.b
	lock, err := b.Lock(ctx)
	if err != nil {
		return err
	}
	if !lock.Versioning {
		return b.refuse("hide", key, bucket.ErrInvalid, "the bucket keeps no versions")
	}
	if _, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: b.full(key)}); err != nil {
		return b.fail(ctx, "hide", key, err)
	}
	return nil
}
