package localaws_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestTheEnvironmentAloneLeadsAnSDKHere(t *testing.T) {
	a := localaws.Start(t, localaws.Config{})
	for _, variable := range a.Host.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	loaded, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out, err := putAs(s3.NewFromConfig(loaded), a.Vault, "main/base/20260101T000000/data.tar", "x", createOnly)
	if err != nil {
		t.Fatal(err)
	}
	if out.ServerSideEncryption != types.ServerSideEncryptionAes256 || aws.ToString(out.ChecksumCRC32) == "" {
		t.Errorf("%+v", out)
	}
}

func TestWhatIsNotKeptIsRefused(t *testing.T) {
	a := localaws.Start(t, localaws.Config{Statements: []localaws.Statement{{Effect: localaws.Allow, Principal: []string{"host"},
		Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::elsewhere/*"}}}})
	if err := a.CreateBucket(context.Background(), "elsewhere"); err != nil { // where no policy refuses it first
		t.Fatal(err)
	}
	for name, option := range map[string]func(*s3.PutObjectInput){
		"a storage class": func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassGlacier },
		"a KMS key":       func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKms },
	} {
		for bucket, want := range map[string]string{"elsewhere": "Not Implemented NotImplemented", a.Vault: denied} {
			_, err := putAs(a.Client(a.Host), bucket, "main/base/20260101T000000/data.tar", "x", createOnly, option)
			if outcome(err) != want {
				t.Errorf("%s in %s: %s", name, bucket, outcome(err))
			}
		}
	}
}

func TestDefaultRetentionIsStampedAtTheWrite(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{VaultRetention: 48 * time.Hour})
	for name, write := range map[string]func(*testing.T, *localaws.AWS, string){
		"a single put":       put,
		"a multipart upload": multipart,
	} {
		t.Run(name, func(t *testing.T) {
			key := "main/base/20260101T000000/" + strings.ReplaceAll(name, " ", "-")
			before := time.Now().Add(48 * time.Hour).Add(-time.Second)
			write(t, a, key)
			head, err := a.Client(a.Finalizer).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &a.Vault, Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			until := aws.ToTime(head.ObjectLockRetainUntilDate)
			if head.ObjectLockMode != types.ObjectLockModeCompliance || until.Before(before) || until.After(before.Add(time.Minute)) {
				t.Fatalf("lock is %q until %s", head.ObjectLockMode, until)
			}

			hidden, err := a.Client(a.Host).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &a.Vault, Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			if hidden.ObjectLockMode != "" || hidden.ObjectLockRetainUntilDate != nil {
				t.Fatalf("the host sees lock headers without s3:GetObjectRetention: %q", hidden.ObjectLockMode)
			}
		})
	}
}

// put creates the key as the host.
func put(t *testing.T, a *localaws.AWS, key string) {
	t.Helper()
	_, err := a.Client(a.Host).PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: &a.Vault, Key: &key, Body: strings.NewReader("content of " + key), IfNoneMatch: aws.String("*"),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// multipart creates the key in two parts as the host.
func multipart(t *testing.T, a *localaws.AWS, key string) {
	t.Helper()
	ctx, client := context.Background(), a.Client(a.Host)
	begun, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &a.Vault, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for number, size := range []int{5 << 20, 17} {
		part, err := client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &a.Vault, Key: &key, UploadId: begun.UploadId, PartNumber: aws.Int32(int32(number + 1)),
			Body: bytes.NewReader(make([]byte, size)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: aws.Int32(int32(number + 1)), ChecksumCRC32: part.ChecksumCRC32})
	}
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &a.Vault, Key: &key, UploadId: begun.UploadId, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		t.Fatal(err)
	}
}
