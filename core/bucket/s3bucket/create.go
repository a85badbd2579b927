package s3bucket

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Create sends a body of up to PartSize bytes (0: 8 MiB) in one PutObject, a
// longer one in parts; both with If-None-Match: * and with CRC-32C sums that
// the store checks. It holds PartsInFlight * PartSize bytes, and more when
// parts have to grow, see partSizes. S3 takes no parts below 5 MiB, so a smaller
// PartSize counts as 5 MiB unless SingleShot is set.
//
// When the answer to the last request is lost, the SDK sends it again and the
// store answers 412: that is ErrExists here, and the caller's comparison finds
// its own bytes. A lost answer to CreateMultipartUpload leaves an upload whose
// name nobody knows; the sweep ends it (EndStale), or the bucket's lifecycle rule.
//
// Create looks at ctx between reads; a reader that blocks delays its return.
func (b *Bucket) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	size := o.PartSize
	if size <= 0 {
		size = 8 << 20
	}
	if !o.SingleShot {
		size = max(size, minPart)
	}
	buf, rest, done, err := b.buffers.Begin(ctx, r, size)
	switch {
	case err != nil:
		return bucket.Object{}, body.Error(ctx, b.name(key), err)
	case rest != nil && o.SingleShot:
		done()
		return bucket.Object{}, b.refuse("create", key, bucket.ErrTooLarge, fmt.Sprintf("more than the %d bytes of one request", size))
	case rest != nil:
		return b.createInParts(ctx, key, buf, rest, o)
	}
	defer done()
	in := b.putInput(key, buf)
	in.IfNoneMatch = aws.String("*")
	in.Metadata = o.Metadata
	in.Tagging = b.tagging(o)
	if !o.RetainUntil.IsZero() {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = b.lockMode, aws.Time(o.RetainUntil)
	}
	return b.put(ctx, "create", key, in)
}

// Put replaces key by body in one request.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) (bucket.Object, error) {
	return b.put(ctx, "write", key, b.putInput(key, body))
}

func (b *Bucket) putInput(key string, body []byte) *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket:               &b.bucket,
		Key:                  b.full(key),
		Body:                 bytes.NewReader(body),
		ContentLength:        aws.Int64(int64(len(body))),
		ChecksumCRC32C:       checksum(crc32.Checksum(body, castagnoli)),
		ServerSideEncryption: b.sse,
		SSEKMSKeyId:          b.sseKey,
	}
}

func (b *Bucket) put(ctx context.Context, op, key string, in *s3.PutObjectInput) (bucket.Object, error) {
	out, err := b.client.PutObject(ctx, in, unsignedBody, func(o *s3.Options) {
		// S3's word for "two conditional writes met, neither is decided": the
		// body is at hand, so it is simply sent again.
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, conflict)
	})
	if err != nil {
		return bucket.Object{}, b.fail(ctx, op, key, err)
	}
	return bucket.Object{
		Key: key, Size: *in.ContentLength, Version: shownVersion(out.VersionId, ""), ETag: unquote(out.ETag),
		CRC32C: hexChecksum(out.ChecksumCRC32C, out.ChecksumType), Encryption: encryption(out.ServerSideEncryption, out.SSEKMSKeyId), Latest: true,
	}, nil
}

// unsignedBody keeps the SDK from hashing the body for the signature: its
// CRC-32C stands in a signed header, so that nobody can change one without the
// other being noticed.
func unsignedBody(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

func (b *Bucket) tagging(o bucket.CreateOptions) *string {
	if len(b.tags)+len(o.Tags) == 0 {
		return nil
	}
	all := url.Values{}
	for _, tags := range []map[string]string{b.tags, o.Tags} {
		for k, v := range tags {
			all.Set(k, v)
		}
	}
	return aws.String(all.Encode())
}

// checksum is a CRC-32C as S3 writes it.
func checksum(crc uint32) *string {
	return aws.String(base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc)))
}

// hexChecksum is S3's CRC-32C as bucket.Object has it. The sum of the parts'
// sums, which S3 calls COMPOSITE and writes as "sum-3", says nothing about the
// bytes to anybody who does not know the parts, and is left out.
func hexChecksum(s *string, t types.ChecksumType) string {
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(s))
	if t == types.ChecksumTypeComposite || err != nil || len(raw) != crc32.Size {
		return ""
	}
	return hex.EncodeToString(raw)
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// CheckCreate opens a multipart upload for key and aborts it: that takes the
// same permission as any create (s3:PutObject), and stores nothing, so that it
// leaves no trace under a lock. For keys that a policy reserves for single
// requests (backup.info) it answers ErrDenied although Create may be allowed.
func (b *Bucket) CheckCreate(ctx context.Context, key string) error {
	up, err := b.startUpload(ctx, "check", key, bucket.CreateOptions{})
	if err != nil {
		return err
	}
	return up.abort(ctx)
}
