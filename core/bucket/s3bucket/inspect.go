package s3bucket

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/pgseal/pgseal/core/bucket"
)

var _ bucket.Inspector = (*Bucket)(nil)

// Clock asks for the bucket's versioning, and takes the time of the answer.
func (b *Bucket) Clock(ctx context.Context) (time.Time, error) {
	var about middleware.Metadata
	out, err := b.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.bucket})
	if out != nil {
		about = out.ResultMetadata
	}
	now, parseErr := http.ParseTime(answered(about, err).Get("Date"))
	switch {
	case parseErr == nil && status(err) != http.StatusNotFound:
		return now, nil
	case err != nil:
		return time.Time{}, b.fail(ctx, "read the clock of", "", err)
	}
	return time.Time{}, b.refuse("read the clock of", "", bucket.ErrInvalid, "the answer has no date")
}

// Expiry looks at the lifecycle rules, which takes s3:GetLifecycleConfiguration.
// In a bucket with versions such a rule makes delete markers.
func (b *Bucket) Expiry(ctx context.Context) (time.Duration, error) {
	out, err := b.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &b.bucket})
	switch {
	case isCode(err, "NoSuchLifecycleConfiguration"):
		return 0, nil
	case err != nil:
		return 0, b.fail(ctx, "read the lifecycle of", "", err)
	}
	days := int32(0)
	for _, r := range out.Rules {
		if r.Status != types.ExpirationStatusEnabled || r.Expiration == nil || !b.covered(r) {
			continue
		}
		if d := aws.ToInt32(r.Expiration.Days); d > 0 && (days == 0 || d < days) {
			days = d
		}
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

// covered tells whether a rule is about everything here.
func (b *Bucket) covered(r types.LifecycleRule) bool {
	prefix := aws.ToString(r.Prefix) //nolint:staticcheck // the form of rules before 2016, which S3 still shows as it was put
	if f := r.Filter; f != nil {
		if f.Tag != nil || f.And != nil || f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil {
			return false
		}
		prefix = aws.ToString(f.Prefix)
	}
	return strings.HasPrefix(b.prefix, prefix)
}

// Unfinished lists multipart uploads, 1,000 to a request, which takes
// s3:ListBucketMultipartUploads.
func (b *Bucket) Unfinished(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		in := &s3.ListMultipartUploadsInput{Bucket: &b.bucket, Prefix: b.full(prefix), EncodingType: types.EncodingTypeUrl}
		for {
			out, err := b.client.ListMultipartUploads(ctx, in)
			if err != nil {
				yield(bucket.Object{}, b.fail(ctx, "list the uploads of", prefix, err))
				return
			}
			for _, u := range out.Uploads {
				if !yield(bucket.Object{Key: b.key(u.Key, out.EncodingType), Created: aws.ToTime(u.Initiated)}, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) || out.NextKeyMarker == nil {
				return
			}
			in.KeyMarker, in.UploadIdMarker = aws.String(decode(out.NextKeyMarker, out.EncodingType)), out.NextUploadIdMarker
		}
	}
}
