package s3bucket

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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
)

// Stat asks for one version of key with HEAD, and for its retention apart from
// that when the answer shows none: S3 leaves the lock out of the answer both
// when there is none and when the caller may not see it.
func (b *Bucket) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	obj, _, err := b.stat(ctx, key, version)
	return obj, err
}

func (b *Bucket) stat(ctx context.Context, key, version string) (bucket.Object, types.ObjectLockMode, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.bucket, Key: b.full(key), VersionId: optional(version), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return bucket.Object{}, "", b.failRead(ctx, "read", key, version, b.headCause(ctx, key, version, err))
	}
	obj := bucket.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), Version: shownVersion(out.VersionId, version), ETag: unquote(out.ETag),
		CRC32C: hexChecksum(out.ChecksumCRC32C, out.ChecksumType), Class: class(string(out.StorageClass)),
		Encryption: encryption(out.ServerSideEncryption, out.SSEKMSKeyId), Created: aws.ToTime(out.LastModified),
		Latest: version == "", Metadata: out.Metadata,
	}
	mode := out.ObjectLockMode
	obj.RetainUntil, obj.RetentionSeen = lockHeaders(mode, out.ObjectLockLegalHoldStatus, out.ObjectLockRetainUntilDate)
	if !obj.RetentionSeen {
		mode, obj.RetainUntil, obj.RetentionSeen, err = b.retention(ctx, key, obj.Version)
	}
	return obj, mode, err
}

// headCause asks once more with GET after a 400, as answers to HEAD have no
// download that could name the code: an expired token and a version that cannot be
// one look the same otherwise.
func (b *Bucket) headCause(ctx context.Context, key, version string, err error) error {
	if status(err) != http.StatusBadRequest {
		return err
	}
	out, cause := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &b.bucket, Key: b.full(key), VersionId: optional(version), Range: aws.String("bytes=0-0"),
	})
	if cause != nil {
		return cause
	}
	return errors.Join(err, out.Body.Close())
}

// failRead is fail, and knows what S3 answers to versions that are not there:
// 400 when the version cannot be one, 405 when it is a delete marker.
func (b *Bucket) failRead(ctx context.Context, op, key, version string, err error) error {
	failed := b.fail(ctx, op, key, err)
	var e *bucket.Error
	if errors.As(failed, &e) && (status(err) == http.StatusMethodNotAllowed ||
		version != "" && (isCode(err, "NoSuchVersion") || status(err) == http.StatusBadRequest && isCode(err, "InvalidArgument"))) {
		e.Kind = bucket.ErrNotFound
	}
	return failed
}

// Open reads with GET. The Object has the retention if the answer shows it, and
// the checksum if S3 sends it along, which it does for whole objects only.
func (b *Bucket) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if offset < 0 || length < -1 {
		return nil, bucket.Object{}, b.refuse("read", key, bucket.ErrInvalid, fmt.Sprintf("no range: %d bytes from %d", length, offset))
	}
	if length == 0 {
		return b.openNothing(ctx, key, version)
	}
	in := &s3.GetObjectInput{Bucket: &b.bucket, Key: b.full(key), VersionId: optional(version), ChecksumMode: types.ChecksumModeEnabled}
	if length > math.MaxInt64-offset {
		length = -1
	}
	switch {
	case length > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	out, err := b.client.GetObject(ctx, in)
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		return b.openNothing(ctx, key, version)
	}
	if err != nil {
		return nil, bucket.Object{}, b.failRead(ctx, "read", key, version, err)
	}
	size := aws.ToInt64(out.ContentLength)
	if in.Range != nil {
		if size, err = wholeSize(out.ContentRange, offset, size); err != nil {
			return nil, bucket.Object{}, errors.Join(b.refuse("read", key, bucket.ErrInvalid, err.Error()), out.Body.Close())
		}
	}
	obj := bucket.Object{
		Key: key, Size: size, Version: shownVersion(out.VersionId, version), ETag: unquote(out.ETag),
		Class: class(string(out.StorageClass)), Encryption: encryption(out.ServerSideEncryption, out.SSEKMSKeyId),
		Created: aws.ToTime(out.LastModified), Latest: version == "", Metadata: out.Metadata,
	}
	if aws.ToInt64(out.ContentLength) == size { // else it may be the range's own
		obj.CRC32C = hexChecksum(out.ChecksumCRC32C, out.ChecksumType)
	}
	obj.RetainUntil, obj.RetentionSeen = lockHeaders(out.ObjectLockMode, out.ObjectLockLegalHoldStatus, out.ObjectLockRetainUntilDate)
	return &download{ReadCloser: out.Body, ctx: ctx, b: b, key: key}, obj, nil
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
	_, total, _ := strings.Cut(aws.ToString(contentRange), "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil || size < 0 {
		return 0, fmt.Errorf("the answer to a range has Content-Range %q", aws.ToString(contentRange))
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

// lockHeaders: a legal hold without a retention proves that locks are shown. It
// is no retention itself, as it has no end and may be lifted at any time.
func lockHeaders(mode types.ObjectLockMode, hold types.ObjectLockLegalHoldStatus, until *time.Time) (time.Time, bool) {
	return aws.ToTime(until), mode != "" || until != nil || hold == types.ObjectLockLegalHoldStatusOn
}

func class(s string) string {
	if s == string(types.StorageClassStandard) {
		return ""
	}
	return s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// encryption is S3's word, with the key where it is one of the account's own:
// "AES256", "aws:kms:arn:aws:kms:...".
func encryption(sse types.ServerSideEncryption, key *string) string {
	if key == nil {
		return string(sse)
	}
	return string(sse) + ":" + *key
}
