package s3bucket

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
)

// List yields current objects, 1,000 to a request.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for page, err := range b.pages(ctx, prefix, "") {
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			for _, o := range page.Contents {
				obj := bucket.Object{
					Key: b.key(o.Key, page.EncodingType), Size: aws.ToInt64(o.Size), ETag: unquote(o.ETag),
					Class: class(string(o.StorageClass)), Created: aws.ToTime(o.LastModified), Latest: true,
				}
				if !yield(obj, nil) {
					return
				}
			}
		}
	}
}

// Dirs yields the names directly below prefix.
func (b *Bucket) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for page, err := range b.pages(ctx, prefix, "/") {
			if err != nil {
				yield("", err)
				return
			}
			for _, p := range page.CommonPrefixes {
				dir := strings.TrimPrefix(b.key(p.Prefix, page.EncodingType), prefix)
				if !yield(strings.TrimSuffix(dir, "/"), nil) {
					return
				}
			}
		}
	}
}

func (b *Bucket) pages(ctx context.Context, prefix, delimiter string) iter.Seq2[*s3.ListObjectsV2Output, error] {
	return func(yield func(*s3.ListObjectsV2Output, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &b.bucket, Prefix: b.full(prefix), Delimiter: optional(delimiter),
			// Keys may have characters that XML has not; one hostile key must
			// not make all others unreadable.
			EncodingType: types.EncodingTypeUrl,
		}
		for {
			out, err := b.client.ListObjectsV2(ctx, in)
			if err != nil {
				yield(nil, b.fail(ctx, "list", prefix, err))
				return
			}
			if !yield(out, nil) || !aws.ToBool(out.IsTruncated) || out.NextContinuationToken == nil {
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

// ListVersions yields all versions and delete markers. S3 lists the two in one
// order, which the SDK does not keep: within a key they are put back in order
// by "latest" and time, and S3's times are whole seconds. The version "null" is
// given as "" when it is the current one, as buckets without versions list
// every object so.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		in := &s3.ListObjectVersionsInput{Bucket: &b.bucket, Prefix: b.full(prefix), EncodingType: types.EncodingTypeUrl}
		var before map[version]bool
		for {
			out, err := b.client.ListObjectVersions(ctx, in)
			if err != nil {
				yield(bucket.Object{}, b.fail(ctx, "list", prefix, err))
				return
			}
			page := b.versions(out)
			seen := make(map[version]bool, len(page))
			for _, o := range page {
				id := version{o.Key, o.Version, o.DeleteMarker}
				// versitygw 1.8 repeats entries where one page ends and the
				// next begins.
				if seen[id] = true; before[id] {
					continue
				}
				if !yield(o, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) || out.NextKeyMarker == nil {
				return
			}
			before = seen
			in.KeyMarker = aws.String(decode(out.NextKeyMarker, out.EncodingType))
			in.VersionIdMarker = out.NextVersionIdMarker
		}
	}
}

type version struct {
	key, id string
	marker  bool
}

func (b *Bucket) versions(out *s3.ListObjectVersionsOutput) []bucket.Object {
	page := make([]bucket.Object, 0, len(out.Versions)+len(out.DeleteMarkers))
	for _, v := range out.Versions {
		page = append(page, bucket.Object{
			Key: b.key(v.Key, out.EncodingType), Size: aws.ToInt64(v.Size), ETag: unquote(v.ETag),
			Version: listedVersion(v.VersionId, v.IsLatest), Class: class(string(v.StorageClass)),
			Created: aws.ToTime(v.LastModified), Latest: aws.ToBool(v.IsLatest),
		})
	}
	for _, m := range out.DeleteMarkers {
		page = append(page, bucket.Object{
			Key: b.key(m.Key, out.EncodingType), Version: listedVersion(m.VersionId, m.IsLatest),
			Created: aws.ToTime(m.LastModified), Latest: aws.ToBool(m.IsLatest), DeleteMarker: true,
		})
	}
	slices.SortStableFunc(page, func(x, y bucket.Object) int {
		if c := strings.Compare(x.Key, y.Key); c != 0 {
			return c
		}
		if x.Latest != y.Latest {
			if x.Latest {
				return -1
			}
			return 1
		}
		return y.Created.Compare(x.Created)
	})
	return page
}

func listedVersion(id *string, latest *bool) string {
	if v := aws.ToString(id); v != "null" || !aws.ToBool(latest) {
		return v
	}
	return ""
}

// shownVersion is the version in an answer about the one that was asked for. The
// current version "null", which buckets name that kept versions earlier or only
// later, is "" as in listings: a manifest must not name it in two ways.
func shownVersion(id *string, asked string) string {
	if v := aws.ToString(id); v != "null" || asked != "" {
		return v
	}
	return ""
}

// key is a listed key as callers know it.
func (b *Bucket) key(listed *string, encoding types.EncodingType) string {
	return strings.TrimPrefix(decode(listed, encoding), b.prefix)
}

// decode undoes what the store was asked to do to keys, if it says it did it.
func decode(s *string, encoding types.EncodingType) string {
	if encoding == types.EncodingTypeUrl {
		if plain, err := url.QueryUnescape(aws.ToString(s)); err == nil {
			return plain
		}
	}
	return aws.ToString(s)
}
