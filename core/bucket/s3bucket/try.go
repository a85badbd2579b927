package s3bucket

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pgseal/pgseal/core/bucket"
)

// Try asks for what a host must not be able to do. S3 looks at the rights when it
// has the headers (unverified that it always does so first), and what follows
// then cannot be obeyed:
//
//   - what is to be stored has another MD5 and another CRC-32C than its headers
//     say: "Checking object integrity" in the user guide (2026-11) says that S3
//     then fails the request and stores nothing;
//   - an upload in parts is completed that was never begun: 404 NoSuchUpload
//     (CompleteMultipartUpload in the API reference, 2026-11);
//   - a key that has no object is deleted, in the version "null": nothing is done,
//     and a delete that names a version makes no delete marker ("Deleting object
//     versions" in the user guide, 2026-11);
//   - the same key is deleted under the condition that it has an object with an
//     ETag that none has: see isAmazon;
//   - a setting is put whose document is no XML, and whose MD5 is another one than
//     its header says.
func (b *Bucket) Try(ctx context.Context, a bucket.Attempt, key string) error {
	switch a {
	case bucket.ToCreate:
		return b.tried(ctx, key, b.putSpoiled(ctx, key, aws.String("*")))
	case bucket.ToOverwrite:
		if err := b.tried(ctx, key, b.putSpoiled(ctx, key, nil)); !errors.Is(err, bucket.ErrDenied) {
			return err
		}
		_, err := b.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &b.bucket, Key: b.full(key), UploadId: aws.String("never-begun"),
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: aws.String("never-sent")}}},
		})
		return b.tried(ctx, key, err)
	case bucket.ToDelete:
		return b.tryDelete(ctx, key)
	case bucket.ToChangeLock:
		_, err := b.client.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: &b.bucket}, spoil)
		return b.tried(ctx, "", err)
	case bucket.ToChangeVersions:
		_, err := b.client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b.bucket,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}, spoil)
		return b.tried(ctx, "", err)
	case bucket.ToChangeLifecycle:
		_, err := b.client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &b.bucket}, spoil)
		return b.tried(ctx, "", err)
	}
	return b.refuse("try", key, bucket.ErrInvalid, "this driver cannot "+string(a))
}

// wrongMD5 is the MD5 of nothing, and no request here has nothing to say.
const wrongMD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="

func (b *Bucket) putSpoiled(ctx context.Context, key string, ifNoneMatch *string) error {
	const body = "pgseal doctor: never stored, as its checksums are wrong\n"
	in := b.putInput(key, []byte(body))
	in.IfNoneMatch, in.ContentMD5, in.ChecksumCRC32C = ifNoneMatch, aws.String(wrongMD5), checksum(0)
	_, err := b.client.PutObject(ctx, in, unsignedBody)
	return err
}

// spoil makes what is put no XML, and its MD5 a wrong one.
func spoil(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Build.Add(middleware.BuildMiddlewareFunc("spoil", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			const body = "pgseal doctor: this is no configuration"
			r, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.BuildOutput{}, middleware.Metadata{}, errors.New("the SDK sends something else than HTTP")
			}
			r, err := r.SetStream(strings.NewReader(body))
			if err != nil {
				return middleware.BuildOutput{}, middleware.Metadata{}, err
			}
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Md5", wrongMD5)
			in.Request = r
			return next.HandleBuild(ctx, in)
		}), middleware.After)
	})
}

// harmless are the answers to somebody who is allowed to: S3 has looked at the
// rights, and met what is wrong with the request.
var harmless = []string{"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "MalformedXML", noSuchUpload, "NoSuchVersion", "NoSuchKey", "PreconditionFailed"}

// tried makes an answer one of those that Try promises.
func (b *Bucket) tried(ctx context.Context, key string, err error) error {
	if err == nil || slices.ContainsFunc(harmless, func(code string) bool { return isCode(err, code) }) {
		return nil
	}
	return b.fail(ctx, "try", key, err)
}

// tryDelete is allowed if one of the two ways to delete is. It asks first whether
// something is there, which also shows that a refusal is one of the delete: a
// delete under a condition takes s3:GetObject as well.
func (b *Bucket) tryDelete(ctx context.Context, key string) error {
	_, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: b.full(key)})
	switch {
	case err == nil:
		return b.refuse("try", key, bucket.ErrInvalid, "an object is there, and a delete is tried where none is")
	case status(err) == http.StatusForbidden:
		return b.refuse("try", key, bucket.ErrInvalid, "without s3:GetObject and s3:ListBucket a refusal says nothing about deletes")
	case status(err) != http.StatusNotFound:
		return b.fail(ctx, "try", key, err)
	}
	var about middleware.Metadata
	out, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: b.full(key), VersionId: aws.String("null")})
	if out != nil {
		about = out.ResultMetadata
	}
	version := b.tried(ctx, key, err)
	if !errors.Is(version, bucket.ErrDenied) {
		return version
	}
	if !isAmazon(answered(about, err)) {
		return b.refuse("try", key, bucket.ErrInvalid, "s3:DeleteObjectVersion is denied, and s3:DeleteObject was not tried, as not every server honours the condition that makes this harmless")
	}
	_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: b.full(key), IfMatch: aws.String("pgseal-doctor")})
	return b.tried(ctx, key, err)
}

// isAmazon tells by an answer's header whether Amazon S3 itself has given it.
// There a delete under If-Match of what is not there, or has another ETag, fails
// with 404 or 412 since 2025-09 ("How to perform conditional deletes" in the user
// guide, 2026-11). A server that does not know the condition would make a delete
// marker.
func isAmazon(answer http.Header) bool { return answer.Get("Server") == "AmazonS3" }

// answered are the headers of an answer, whether it was a refusal or not.
func answered(about middleware.Metadata, err error) http.Header {
	var failed *awshttp.ResponseError
	if errors.As(err, &failed) && failed.Response != nil {
		return failed.Response.Header
	}
	if r, ok := awsmiddleware.GetRawResponse(about).(*smithyhttp.Response); ok && err == nil {
		return r.Header
	}
	return nil
}
