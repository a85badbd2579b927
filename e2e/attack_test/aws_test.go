package attack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func init() {
	own[clouds.AWS.Name] = ways{replace: s3Replace, change: s3Change, keys: s3Keys, classes: s3Classes}
}

func s3Replace(_ *testing.T, s *scene, set *settest.Set) []try {
	cloud := s.Store.(*localaws.AWS)
	client, bucket, key := cloud.Client(cloud.Host), &cloud.Vault, aws.String(cloud.Root()+set.Key(layout.BackupInfoName))
	return []try{
		{"upload backup.info in parts", func(ctx context.Context) error {
			_, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return deniedByS3(err)
		}},
		{"copy something to backup.info", func(ctx context.Context) error {
			_, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String(cloud.Vault + "/" + cloud.Root() + set.Key("data.tar"))})
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
		{"take the vault's lock away", func(ctx context.Context) error {
			_, err := client.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{}})
			return deniedByS3(err)
		}},
		{"let the lifecycle delete", func(ctx context.Context) error {
			_, err := client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}}}}})
			return deniedByS3(err)
		}},
		{"shorten what is locked", func(ctx context.Context) error {
			_, err := client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: bucket, Key: aws.String(cloud.Root() + set.Key("data.tar")),
				Retention: &types.ObjectLockRetention{Mode: "COMPLIANCE", RetainUntilDate: aws.Time(time.Now().Add(time.Minute))}})
			return deniedByS3(err)
		}},
	}
}

// s3Change: what a copy of an object over itself can change.
func s3Change(_ *testing.T, s *scene, set *settest.Set) (tries []try) {
	cloud := s.Store.(*localaws.AWS)
	client, key := cloud.Client(cloud.Host), cloud.Root()+set.Key("data.tar")
	for name, change := range map[string]func(in *s3.CopyObjectInput){
		"another class by a copy": func(in *s3.CopyObjectInput) { in.StorageClass = types.StorageClassDeepArchive },
		"another key by a copy": func(in *s3.CopyObjectInput) {
			in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String(foreignARN)
		},
		"other metadata by a copy": func(in *s3.CopyObjectInput) { in.MetadataDirective = types.MetadataDirectiveReplace },
		"a copy with the condition": func(in *s3.CopyObjectInput) {
			in.StorageClass, in.IfNoneMatch = types.StorageClassGlacier, aws.String("*")
		},
	} {
		tries = append(tries, try{name, func(ctx context.Context) error {
			in := &s3.CopyObjectInput{Bucket: &cloud.Vault, Key: &key, CopySource: aws.String(cloud.Vault + "/" + key)}
			change(in)
			_, err := client.CopyObject(ctx, in)
			return deniedByS3(err)
		}})
	}
	return tries
}

const foreignARN = "arn:aws:kms:eu-central-1:999999999999:key/of-the-host"

// s3Keys: the vault's policy refuses each, in one request and in parts.
func s3Keys(t *testing.T, s *scene) (all []variant) {
	customer := func(in *s3.PutObjectInput) {
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = aws.String("AES256"), aws.String("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="), aws.String("hRasmdxgYDKV3nvbahU1MA==")
	}
	kms := func(in *s3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String(foreignARN)
	}
	account := func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKms }
	double := func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKmsDsse }
	for name, change := range map[string]func(in *s3.PutObjectInput){
		"a key that only the host has": customer, "a key of the host's account": kms, "the account's own key": account, "two layers": double,
	} {
		all = append(all, s3Variant(s, name, change))
	}
	cloud := s.Store.(*localaws.AWS)
	return append(all, variant{"a key of the host's account, in parts", func(ctx context.Context, key string, _ []byte) error {
		_, err := cloud.Client(cloud.Host).CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &cloud.Vault, Key: aws.String(cloud.Root() + key), ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(foreignARN)})
		return deniedByS3(err)
	}, ""})
}

func s3Classes(_ *testing.T, s *scene) (all []variant) {
	for _, class := range []types.StorageClass{types.StorageClassGlacier, types.StorageClassDeepArchive, types.StorageClassStandardIa} {
		all = append(all, s3Variant(s, string(class), func(in *s3.PutObjectInput) { in.StorageClass = class }))
	}
	return all
}

func s3Variant(s *scene, name string, change func(in *s3.PutObjectInput)) variant {
	cloud := s.Store.(*localaws.AWS)
	return variant{name, func(ctx context.Context, key string, body []byte) error {
		in := &s3.PutObjectInput{Bucket: &cloud.Vault, Key: aws.String(cloud.Root() + key), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*")}
		change(in)
		_, err := cloud.Client(cloud.Host).PutObject(ctx, in)
		return deniedByS3(err)
	}, ""}
}

func deniedByS3(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "AccessDenied" {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
