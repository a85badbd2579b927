package s3bucket

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// EndStale ends the multipart uploads below prefix that began before that time
// and got no part since: S3 keeps them, invisible and paid for, until somebody
// does, and who was killed does not. Those whose keys are spared stay. It looks
// at most of them, at the first thousand of the listing, and gives the keys of
// what it ended. It takes s3:ListBucketMultipartUploads,
// s3:ListMultipartUploadParts and s3:AbortMultipartUpload.
func (b *Bucket) EndStale(ctx context.Context, prefix string, before time.Time, most int, spared func(key string) bool) (ended []string, err error) {
	out, err := b.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.bucket, Prefix: b.full(prefix), EncodingType: types.EncodingTypeUrl})
	if err != nil {
		return nil, b.fail(ctx, "list the uploads of", prefix, err)
	}
	var failed []error
	for _, u := range out.Uploads {
		key := b.key(u.Key, out.EncodingType)
		if !aws.ToTime(u.Initiated).Before(before) || spared(key) {
			continue
		}
		if most--; most < 0 || ctx.Err() != nil {
			break
		}
		up := &upload{Bucket: b, key: key, id: u.UploadId}
		stale, err := up.silentSince(ctx, before)
		if stale && err == nil {
			if err = up.abort(ctx); err == nil {
				ended = append(ended, key)
			}
		}
		failed = append(failed, err)
	}
	return ended, errors.Join(failed...)
}

// silentSince tells whether all parts are older. Parts are listed by their
// numbers, and arrive in any order.
func (u *upload) silentSince(ctx context.Context, before time.Time) (bool, error) {
	in := &s3.ListPartsInput{Bucket: &u.bucket, Key: u.full(u.key), UploadId: u.id}
	for {
		out, err := u.client.ListParts(ctx, in)
		switch {
		case isCode(err, noSuchUpload): // it has come to its end
			return false, nil
		case err != nil:
			return false, u.fail(ctx, "list the parts of", u.key, err)
		}
		for _, p := range out.Parts {
			if !aws.ToTime(p.LastModified).Before(before) {
				return false, nil
			}
		}
		if !aws.ToBool(out.IsTruncated) || out.NextPartNumberMarker == nil {
			return true, nil
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
}
