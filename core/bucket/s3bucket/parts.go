package s3bucket

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

// Limits of "Amazon S3 multipart upload limits" in the S3 user guide. Of 8 MiB,
// 9,500 parts hold 74 GiB and all 10,000 of them 122; the last ones are 256 MiB.
const minPart = 5 << 20

var partSizes = body.Sizes{Parts: 10_000, Max: 5 << 30, GrowAfter: 9_500, GrowEvery: 100, Word: "parts"}

// upload is a multipart upload in progress.
type upload struct {
	*Bucket
	key   string
	id    *string
	parts []*types.CompletedPart
}

func (b *Bucket) startUpload(ctx context.Context, op, key string, o bucket.CreateOptions) (*upload, error) {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &b.bucket, Key: b.full(key),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c, ChecksumType: types.ChecksumTypeFullObject,
		ServerSideEncryption: b.sse, SSEKMSKeyId: b.sseKey,
		Metadata: o.Metadata, Tagging: b.tagging(o),
	}
	if !o.RetainUntil.IsZero() {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = b.lockMode, aws.Time(o.RetainUntil)
	}
	out, err := b.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return nil, b.fail(ctx, op, key, err)
	}
	return &upload{Bucket: b, key: key, id: out.UploadId}, nil
}

// createInParts sends first, which it takes over, and what r still has.
func (b *Bucket) createInParts(ctx context.Context, key string, first []byte, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	up, err := b.startUpload(ctx, "create", key, o)
	if err != nil {
		b.buffers.Return(first)
		return bucket.Object{}, err
	}
	crc, size, err := up.send(ctx, first, r, o.PartsInFlight)
	var obj bucket.Object
	if err == nil {
		obj, err = up.complete(ctx, crc, size)
	}
	if err != nil {
		if left := up.abort(ctx); left != nil {
			err = fmt.Errorf("%w; and what was sent stays behind as an unfinished upload: %w", err, left)
		}
		return bucket.Object{}, err
	}
	return obj, nil
}

// send reads, sums and sends part after part, inFlight (0: 2) at a time, and
// takes over buf, the first. No part is under way any more when it returns: after
// a failure those that are come to their own end, since a part that is broken off
// here may still arrive there after the abort, and nobody would clean it up.
func (u *upload) send(ctx context.Context, buf []byte, r io.Reader, inFlight int) (crc uint32, size int64, err error) {
	if inFlight <= 0 {
		inFlight = 2
	}
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, inFlight) // a part takes one before it is read
	slots <- struct{}{}
	first := int64(len(buf))
	for n := 1; len(buf) > 0 && sending.Err() == nil; n++ {
		crc, size = crc32.Update(crc, castagnoli, buf), size+int64(len(buf))
		part, content := &types.CompletedPart{PartNumber: aws.Int32(int32(n))}, buf
		u.parts = append(u.parts, part)
		wg.Go(func() {
			defer func() { u.buffers.Return(content); <-slots }()
			if err := u.sendPart(ctx, part, content); err != nil {
				stop(err)
			}
		})
		select {
		case slots <- struct{}{}:
		case <-sending.Done():
			continue
		}
		if buf, err = u.buffers.Next(sending, r, partSizes, first, n+1); err != nil {
			stop(body.Error(sending, u.name(u.key), err))
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return 0, 0, fmt.Errorf("create %s: %w", u.name(u.key), ctx.Err())
	}
	return crc, size, context.Cause(sending)
}

func (u *upload) sendPart(ctx context.Context, part *types.CompletedPart, content []byte) error {
	part.ChecksumCRC32C = checksum(crc32.Checksum(content, castagnoli))
	out, err := u.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.bucket, Key: u.full(u.key), UploadId: u.id, PartNumber: part.PartNumber,
		Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))), ChecksumCRC32C: part.ChecksumCRC32C,
	}, unsignedBody, func(o *s3.Options) {
		// The upload was accepted: asking before each part only costs a round trip.
		o.ContinueHeaderThresholdBytes = -1
	})
	if err != nil {
		return u.fail(ctx, "create", u.key, err)
	}
	part.ETag = out.ETag
	return nil
}

// complete makes the object. S3 answers 412 when one is there already, and
// NoSuchUpload when an earlier try of this request made it and its answer was
// lost (the upload is used up then); both are ErrExists, and callers compare.
// After 409 the upload is of no more use, says "Error responses" of
// CompleteMultipartUpload in the S3 API reference.
func (u *upload) complete(ctx context.Context, crc uint32, size int64) (bucket.Object, error) {
	parts := make([]types.CompletedPart, len(u.parts))
	for i, p := range u.parts {
		parts[i] = *p
	}
	out, err := u.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: u.full(u.key), UploadId: u.id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		ChecksumCRC32C:  checksum(crc), ChecksumType: types.ChecksumTypeFullObject, MpuObjectSize: aws.Int64(size),
	})
	switch {
	case err == nil:
	case isCode(err, noSuchUpload):
		if _, there := u.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &u.bucket, Key: u.full(u.key)}); there == nil {
			return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name(u.key), Kind: bucket.ErrExists, Code: "404 NoSuchUpload, and an object is there", Err: err}
		}
		return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name(u.key), Kind: bucket.ErrUnavailable, Code: "404 NoSuchUpload: the store has lost the parts; send them anew", Err: err}
	case isCode(err, conflict):
		return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name(u.key), Kind: bucket.ErrUnavailable, Code: "409 " + conflict + ": another write came between; send all parts anew", Err: err}
	default:
		return bucket.Object{}, u.fail(ctx, "create", u.key, err)
	}
	obj := bucket.Object{
		Key: u.key, Size: size, Version: shownVersion(out.VersionId, ""), ETag: unquote(out.ETag),
		CRC32C: hexChecksum(out.ChecksumCRC32C, out.ChecksumType), Encryption: encryption(out.ServerSideEncryption, out.SSEKMSKeyId), Latest: true,
	}
	if obj.CRC32C == "" {
		// A store that knows the request from a first try may answer with the
		// ETag alone (versitygw 1.8).
		if seen, err := u.Stat(ctx, u.key, ""); err == nil && seen.ETag == obj.ETag && seen.Size == size {
			return seen, nil
		}
	}
	return obj, nil
}

// abort ends the upload, also when ctx is cancelled already: parts that nobody
// completes cost money and are invisible.
func (u *upload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, err := u.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: u.full(u.key), UploadId: u.id})
	if err == nil || isCode(err, noSuchUpload) {
		return nil
	}
	return u.fail(ctx, "abort the upload of", u.key, err)
}
