package seal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func init() { attempts["AWS"] = s3Attempts }

// s3Attempts are those that the driver has no words for.
func s3Attempts(_ testing.TB, b *backup) []attempt {
	cloud := b.s.Store.(*localaws.AWS)
	client, bucket, key := cloud.Client(cloud.Host), &cloud.Vault, aws.String(cloud.Root()+b.Key(layout.BackupInfoName))
	return []attempt{
		{"upload backup.info in parts", func(ctx context.Context) error {
			_, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return deniedByS3(err)
		}},
		{"copy something to backup.info", func(ctx context.Context) error {
			_, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String(cloud.Vault + "/" + cloud.Root() + b.Key("data.tar"))})
			return deniedByS3(err)
		}},
		{"delete backup.info", func(ctx context.Context) error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
			return deniedByS3(err)
		}},
		{"delete the version", func(ctx context.Context) error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: aws.String("01HZZZZZZZZZZZZZZZZZZZZZZZ")})
			return deniedByS3(err)
		}},
		{"delete many at once", func(ctx context.Context) error {
			out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}}}})
			if err == nil && len(out.Errors) == 1 && aws.ToString(out.Errors[0].Code) == "AccessDenied" {
				return errRefused
			}
			return deniedByS3(err)
		}},
		{"lift the lock", func(ctx context.Context) error {
			_, err := client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: bucket, Key: key, Retention: &types.ObjectLockRetention{}})
			return deniedByS3(err)
		}},
	}
}

func deniedByS3(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "AccessDenied" {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
