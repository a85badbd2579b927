package s3bucket

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
)

// Retain extends the lock of one version, in the mode it has; an object without
// a lock gets one. The header that lets privileged callers bypass GOVERNANCE is
// never sent, and a shorter lock is refused before the store is asked.
func (b *Bucket) Retain(ctx context.Context, key, version string, until time.Time) error {
	obj, mode, err := b.stat(ctx, key, version)
	if err != nil {
		return err
	}
	if until.Before(obj.RetainUntil) {
		return b.refuse("retain", key, bucket.ErrRetained, "until "+obj.RetainUntil.UTC().Format(time.RFC3339)+", which is later than asked")
	}
	if mode == "" {
		mode = b.lockMode
	}
	_, err = b.client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
		Bucket: &b.bucket, Key: b.full(key), VersionId: optional(obj.Version),
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(mode), RetainUntilDate: aws.Time(until)},
	})
	if err != nil {
		return b.failRead(ctx, "retain", key, version, err)
	}
	return nil
}

// retention asks for the lock of an object whose HEAD showed none. seen is false
// when the caller may not know.
func (b *Bucket) retention(ctx context.Context, key, version string) (mode types.ObjectLockMode, until time.Time, seen bool, err error) {
	if !b.knownUnlocked.Load() {
		// Only "no lock here" is worth remembering: it saves the second request.
		config, err := b.lockConfig(ctx)
		if err == nil && !config.Enabled {
			b.knownUnlocked.Store(true)
		}
	}
	if b.knownUnlocked.Load() {
		return "", time.Time{}, true, nil
	}
	out, err := b.client.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: &b.bucket, Key: b.full(key), VersionId: optional(version)})
	switch {
	case err == nil && out.Retention == nil, isCode(err, noRetention), lockMissing(err):
		return "", time.Time{}, true, nil
	case err == nil:
		return types.ObjectLockMode(out.Retention.Mode), aws.ToTime(out.Retention.RetainUntilDate), true, nil
	}
	if err = b.fail(ctx, "read the retention of", key, err); errors.Is(err, bucket.ErrDenied) {
		return "", time.Time{}, false, nil
	}
	return "", time.Time{}, false, err
}

// Lock asks for the bucket's versioning and Object Lock. ErrDenied: either may
// not be seen, which is no word on whether they are there.
func (b *Bucket) Lock(ctx context.Context) (bucket.Lock, error) {
	versions, err := b.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.bucket})
	if err != nil {
		return bucket.Lock{}, b.fail(ctx, "read the versioning of", "", err)
	}
	lock, err := b.lockConfig(ctx)
	if err != nil {
		return bucket.Lock{}, b.fail(ctx, "read the lock of", "", err)
	}
	lock.Versioning = versions.Status == types.BucketVersioningStatusEnabled
	return lock, nil
}

func (b *Bucket) lockConfig(ctx context.Context) (bucket.Lock, error) {
	out, err := b.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &b.bucket})
	switch {
	case isCode(err, noLockConfig), lockMissing(err):
		return bucket.Lock{}, nil
	case err != nil:
		return bucket.Lock{}, err
	case out.ObjectLockConfiguration == nil:
		return bucket.Lock{}, nil
	}
	lock := bucket.Lock{Enabled: out.ObjectLockConfiguration.ObjectLockEnabled == types.ObjectLockEnabledEnabled}
	if rule := out.ObjectLockConfiguration.Rule; rule != nil && rule.DefaultRetention != nil {
		lock.Mode = string(rule.DefaultRetention.Mode)
		days := int64(aws.ToInt32(rule.DefaultRetention.Days)) + 365*int64(aws.ToInt32(rule.DefaultRetention.Years))
		lock.Default = time.Duration(days) * 24 * time.Hour
	}
	return lock, nil
}

// lockMissing knows the two ways of saying that there are no locks here at all:
// S3's 400 InvalidRequest "Bucket is missing Object Lock Configuration", and the
// 501 of servers that have no Object Lock.
func lockMissing(err error) bool {
	if err == nil {
		return false
	}
	return status(err) == http.StatusNotImplemented ||
		isCode(err, "InvalidRequest") && (strings.Contains(err.Error(), "missing Object Lock") || strings.Contains(err.Error(), "missing ObjectLock"))
}
