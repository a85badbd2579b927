package localaws

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// strictBackend is versitygw's POSIX store with the behaviours corrected in which versitygw 1.8.0 differs from
// Amazon S3 and a test would therefore lie:
//
//   - a bucket's default retention belongs to the version from the moment of the write (versitygw looks the default
//     up at the time of the delete, shows nothing on HEAD, and changes its mind when the default changes);
//   - If-None-Match: * passes when the newest version is a delete marker;
//   - pages of ListObjectVersions repeat nothing and are in key order;
//   - a delete under If-Match of a key without an object is refused with 404 (versitygw looks at conditions of what is
//     there only, and says that it has deleted it);
//   - a lock for an object of a bucket without Object Lock is refused before anything is stored (versitygw refuses it
//     and leaves the object).
type strictBackend struct {
	*posix.Posix
	exact    map[string]time.Duration
	creating keyedMutex
}

// lockRule returns the default retention of the bucket; ok is false when it has none.
func (b *strictBackend) lockRule(ctx context.Context, bucket string) (mode types.ObjectLockMode, until time.Time, ok bool, err error) {
	data, err := b.Posix.GetObjectLockConfiguration(ctx, bucket)
	if errors.Is(err, s3err.GetAPIError(s3err.ErrObjectLockConfigurationNotFound)) {
		return "", time.Time{}, false, nil
	}
	if err != nil {
		return "", time.Time{}, false, err
	}
	var config auth.BucketLockConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return "", time.Time{}, false, err
	}
	rule := config.DefaultRetention
	if !config.Enabled || rule == nil {
		return "", time.Time{}, false, nil
	}
	now := time.Now().UTC()
	switch exact := b.exact[bucket]; {
	case exact > 0:
		until = now.Add(exact)
	case rule.Days != nil:
		until = now.AddDate(0, 0, int(*rule.Days))
	case rule.Years != nil:
		until = now.AddDate(int(*rule.Years), 0, 0)
	}
	// HEAD shows whole seconds; what it shows must be what holds.
	return types.ObjectLockMode(rule.Mode), until.Add(time.Second - 1).Truncate(time.Second), true, nil
}

// GetObjectLockConfiguration hides when the default was set: without that date versitygw does not apply the default
// to versions at delete time, and only what is stamped on a version counts.
func (b *strictBackend) GetObjectLockConfiguration(ctx context.Context, bucket string) ([]byte, error) {
	data, err := b.Posix.GetObjectLockConfiguration(ctx, bucket)
	if err != nil {
		return nil, err
	}
	var config auth.BucketLockConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, err
	}
	config.CreatedAt = nil
	return json.Marshal(config)
}

// PutObject stamps the default retention with the write itself.
func (b *strictBackend) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	if in.ObjectLockMode == "" {
		mode, until, ok, err := b.lockRule(ctx, *in.Bucket)
		if err != nil {
			return s3response.PutObjectOutput{}, err
		}
		if ok {
			in.ObjectLockMode, in.ObjectLockRetainUntilDate = mode, &until
		}
	} else if err := b.lockable(ctx, *in.Bucket); err != nil {
		return s3response.PutObjectOutput{}, err
	}
	release := b.overDeleteMarker(ctx, *in.Bucket, *in.Key, &in.IfNoneMatch)
	defer release()
	out, err := b.Posix.PutObject(ctx, in)
	if err != nil {
		drain(in.Body)
	}
	return out, err
}

// UploadPart reads the part to its end also when it is refused.
func (b *strictBackend) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	out, err := b.Posix.UploadPart(ctx, in)
	if err != nil {
		drain(in.Body)
	}
	return out, err
}

// drain reads what is left of a refused body. The gateway would otherwise close the connection under a client that is
// still sending, and the client would see a broken pipe instead of, for instance, 412.
func drain(body io.Reader) {
	if body != nil {
		_, _ = io.Copy(io.Discard, body)
	}
}

// lockable returns Amazon's refusal of lock headers when the bucket has no Object Lock.
func (b *strictBackend) lockable(ctx context.Context, bucket string) error {
	_, err := b.Posix.GetObjectLockConfiguration(ctx, bucket)
	if errors.Is(err, s3err.GetAPIError(s3err.ErrObjectLockConfigurationNotFound)) {
		return s3err.GetAPIError(s3err.ErrMissingObjectLockConfiguration)
	}
	return err
}

// CompleteMultipartUpload stamps the default retention, counted from the completion, unless the upload was begun with
// a retention of its own.
func (b *strictBackend) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	release := b.overDeleteMarker(ctx, *in.Bucket, *in.Key, &in.IfNoneMatch)
	defer release()
	out, version, err := b.Posix.CompleteMultipartUpload(ctx, in)
	if err != nil {
		return out, version, err
	}
	return out, version, b.stamp(ctx, *in.Bucket, *in.Key, version)
}

// CopyObject stamps the default retention on the copy.
func (b *strictBackend) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	out, err := b.Posix.CopyObject(ctx, in)
	if err != nil || out.VersionId == nil {
		return out, err
	}
	return out, b.stamp(ctx, *in.Bucket, *in.Key, *out.VersionId)
}

// stamp gives the version the bucket's default retention when it has none.
func (b *strictBackend) stamp(ctx context.Context, bucket, key, version string) error {
	mode, until, ok, err := b.lockRule(ctx, bucket)
	if err != nil || !ok {
		return err
	}
	_, err = b.GetObjectRetention(ctx, bucket, key, version)
	if err == nil {
		return nil
	}
	if !errors.Is(err, s3err.GetAPIError(s3err.ErrNoSuchObjectLockConfiguration)) {
		return err
	}
	retention, err := json.Marshal(types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(mode), RetainUntilDate: &until})
	if err != nil {
		return err
	}
	return b.PutObjectRetention(ctx, bucket, key, version, retention)
}

// overDeleteMarker drops the condition If-None-Match: * when the newest version of the key is a delete marker. The
// key stays locked until release is called, so that of several such writers one wins.
func (b *strictBackend) overDeleteMarker(ctx context.Context, bucket, key string, condition **string) (release func()) {
	if *condition == nil || **condition != "*" {
		return func() {}
	}
	if !b.deleteMarkerOnTop(ctx, bucket, key) {
		return func() {}
	}
	release = b.creating.lock(bucket + "/" + key)
	if b.deleteMarkerOnTop(ctx, bucket, key) {
		*condition = nil
	}
	return release
}

// deleteMarkerOnTop reports whether the newest version of the key is a delete marker.
func (b *strictBackend) deleteMarkerOnTop(ctx context.Context, bucket, key string) bool {
	// Of the store's calls this one tells a delete marker from a key that was never written.
	_, err := b.GetObjectRetention(ctx, bucket, key, "")
	return errors.Is(err, s3err.GetAPIError(s3err.ErrMethodNotAllowed))
}

// DeleteObject looks whether a condition can hold at all.
func (b *strictBackend) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if in.IfMatch != nil && *in.IfMatch != "" {
		if _, err := b.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key}); err != nil {
			return nil, s3err.GetAPIError(s3err.ErrNoSuchKey)
		}
	}
	return b.Posix.DeleteObject(ctx, in)
}

// ListObjectVersions reads everything under the prefix and cuts the page itself.
func (b *strictBackend) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	whole := *in
	everything := int32(math.MaxInt32)
	whole.MaxKeys, whole.KeyMarker, whole.VersionIdMarker, whole.Delimiter = &everything, nil, nil, nil
	out, err := b.Posix.ListObjectVersions(ctx, &whole)
	if err != nil {
		return out, err
	}
	return cutVersions(out, in), nil
}

// keyedMutex is one mutex per name.
type keyedMutex struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

// lock locks the name's mutex and returns what unlocks it.
func (k *keyedMutex) lock(name string) func() {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*sync.Mutex{}
	}
	one := k.locks[name]
	if one == nil {
		one = &sync.Mutex{}
		k.locks[name] = one
	}
	k.mu.Unlock()
	one.Lock()
	return one.Unlock
}
