package localaws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// makeBuckets creates the vault and staging, unless the directory already has them.
func (a *AWS) makeBuckets(ctx context.Context, config Config) error {
	mode := types.ObjectLockRetentionModeCompliance
	if config.Governance {
		mode = types.ObjectLockRetentionModeGovernance
	}
	if err := a.CreateLockedBucket(ctx, a.Vault, mode, config.VaultRetention); err != nil {
		return err
	}
	return a.CreateBucket(ctx, a.Staging)
}

// CreateBucket creates a bucket without a lock and without versions, as the account's root. A bucket that is there
// already stays as it is.
func (a *AWS) CreateBucket(ctx context.Context, name string) error {
	return a.createBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)})
}

// CreateLockedBucket creates a bucket with Object Lock, and a default retention if retention is not zero, as the
// account's root. The default is in whole days, rounded up. A bucket that is there already gets the default.
func (a *AWS) CreateLockedBucket(ctx context.Context, name string, mode types.ObjectLockRetentionMode, retention time.Duration) error {
	if err := a.createBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name), ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		return err
	}
	if retention == 0 {
		return nil
	}
	days := int32((retention + 24*time.Hour - 1) / (24 * time.Hour))
	_, err := a.root.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{
		Bucket: aws.String(name),
		ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: mode, Days: aws.Int32(days)}},
		},
	})
	if err != nil {
		return fmt.Errorf("set the default retention of bucket %s: %w", name, err)
	}
	return nil
}

func (a *AWS) createBucket(ctx context.Context, in *s3.CreateBucketInput) error {
	in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(Region)}
	_, err := a.root.CreateBucket(ctx, in)
	if err == nil {
		return nil
	}
	if code, _ := errorCode(err); code == "BucketAlreadyOwnedByYou" || code == "BucketAlreadyExists" {
		return nil
	}
	return fmt.Errorf("create bucket %s: %w", aws.ToString(in.Bucket), err)
}
