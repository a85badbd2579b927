package localaws_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/e2e/localaws"
)

const (
	backup  = "pg/main/base/20260101T000000/"
	segment = "pg/main/wals/0000000100000000/000000010000000000000001"
	denied  = "Forbidden AccessDenied"
)

// ask is one call, by whoever, to be judged by its outcome.
type ask func(ctx context.Context, c *s3.Client, a *localaws.AWS) error

func creating(bucket, key string, options ...func(*s3.PutObjectInput)) ask {
	return func(_ context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := putAs(c, inBucket(a, bucket), key, "new", options...)
		return err
	}
}

func beginning(bucket, key string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(inBucket(a, bucket)), Key: &key})
		return err
	}
}

func completing(key string, condition *string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		begun, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &a.Vault, Key: &key})
		if err != nil {
			return err
		}
		part, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: &a.Vault, Key: &key, UploadId: begun.UploadId,
			PartNumber: aws.Int32(1), Body: strings.NewReader("part")})
		if err != nil {
			return err
		}
		_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &a.Vault, Key: &key, UploadId: begun.UploadId,
			IfNoneMatch:     condition,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}})
		if err == nil {
			return nil
		}
		_, aborted := c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &a.Vault, Key: &key, UploadId: begun.UploadId})
		if aborted != nil {
			return aborted
		}
		return err
	}
}

func deleting(bucket, key string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(inBucket(a, bucket)), Key: &key})
		return err
	}
}

func heading(bucket, key string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(inBucket(a, bucket)), Key: &key})
		return err
	}
}

func getting(bucket, key string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(inBucket(a, bucket)), Key: &key})
		if err == nil {
			_ = out.Body.Close()
		}
		return err
	}
}

func copying(from, to string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &a.Vault, Key: &to, CopySource: aws.String(a.Vault + "/" + from)})
		return err
	}
}

func listing(bucket string) ask {
	return func(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
		_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(inBucket(a, bucket))})
		return err
	}
}

// inBucket is the real name of "vault" and "staging".
func inBucket(a *localaws.AWS, name string) string {
	return map[string]string{"vault": a.Vault, "staging": a.Staging}[name]
}

func locked(in *s3.PutObjectInput) {
	in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, aws.Time(time.Now().Add(time.Hour))
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{Prefix: "pg", Server: "main", VaultRetention: 24 * time.Hour})
	who := map[string]localaws.Identity{"host": a.Host, "finalizer": a.Finalizer, "restore": a.Restore, "operator": a.Operator}
	for _, existing := range []string{backup + "data.tar", segment, "pg/other/wals/0000000100000000/000000010000000000000001"} {
		if _, err := putAs(a.Client(a.Breakglass), a.Vault, existing, "old", createOnly); err != nil {
			t.Fatal(err)
		}
	}

	for _, c := range []struct {
		name, who string
		do        ask
		want      string
	}{
		{"the host creates an archive", "host", creating("vault", backup+"data_0001.tar", createOnly), "200"},
		{"the host must say create-only", "host", creating("vault", backup+"data_0002.tar"), denied},
		{"the host cannot replace an archive", "host", creating("vault", backup+"data.tar", createOnly), "Precondition Failed PreconditionFailed"},
		{"the host cannot seal", "host", creating("vault", backup+"backup.info", createOnly), denied},
		{"the host cannot begin to seal by parts", "host", beginning("vault", backup+"backup.info"), denied},
		{"the host cannot seal by copying", "host", copying(backup+"data.tar", backup+"backup.info"), denied},
		{"the host cannot copy at all", "host", copying(backup+"data.tar", backup+"data_0003.tar"), denied},
		{"the host cannot write for another server", "host", creating("vault", "pg/other/base/20260101T000000/data.tar", createOnly), denied},
		{"the host cannot write outside the prefix", "host", creating("vault", "elsewhere", createOnly), denied},
		{"the host completes an upload create-only", "host", completing(backup+"16384.tar", aws.String("*")), "200"},
		{"the host cannot complete an upload without the condition", "host", completing(backup+"16385.tar", nil), denied},
		{"the host cannot complete over an archive", "host", completing(backup+"data.tar", aws.String("*")), "Precondition Failed PreconditionFailed"},
		{"the host cannot hide an archive", "host", deleting("vault", backup+"data.tar"), denied},
		{"the host cannot choose a lock", "host", creating("vault", backup+"data_0004.tar", createOnly, locked), denied},
		{"the host lists the vault", "host", listing("vault"), "200"},
		{"the host reads its own WAL", "host", getting("vault", segment), "200"},
		{"the host looks for a segment that is not there", "host", heading("vault", segment+".gz"), "Not Found NotFound"},
		{"the host does not read another server's WAL", "host", getting("vault", "pg/other/wals/0000000100000000/000000010000000000000001"), denied},
		{"the host leaves a marker", "host", creating("staging", "pg/_pgseal/complete/main/20260101T000000.json"), "200"},
		{"the host leaves no marker for another server", "host", creating("staging", "pg/_pgseal/complete/other/20260101T000000.json"), denied},
		{"the host replaces its progress", "host", creating("staging", "pg/_pgseal/progress/main/20260101T000000.json"), "200"},
		{"the host gives no verdict", "host", creating("staging", "pg/_pgseal/verdict/main/20260101T000000.json"), denied},
		{"the host cannot delete in staging", "host", deleting("staging", "pg/_pgseal/complete/main/20260101T000000.json"), denied},
		{"the host cannot turn versions off", "host", suspendVersions, denied},
		{"the host cannot change the lock", "host", changeLock, denied},

		{"the finalizer reads the marker", "finalizer", getting("staging", "pg/_pgseal/complete/main/20260101T000000.json"), "200"},
		{"the finalizer reads archives", "finalizer", getting("vault", backup+"data.tar"), "200"},
		{"the finalizer must seal create-only", "finalizer", creating("vault", backup+"backup.info"), denied},
		{"the finalizer seals", "finalizer", creating("vault", backup+"backup.info", createOnly), "200"},
		{"the finalizer seals once", "finalizer", creating("vault", backup+"backup.info", createOnly), "Precondition Failed PreconditionFailed"},
		{"the finalizer seals by one PUT only", "finalizer", beginning("vault", backup+"backup.info"), denied},
		{"the finalizer creates nothing else", "finalizer", creating("vault", backup+"data_0009.tar", createOnly), denied},
		{"the host keeps no findings", "host", creating("staging", "pg/_pgseal/sweep/main/20260101T000000.json"), denied},
		{"the finalizer keeps findings", "finalizer", creating("staging", "pg/_pgseal/sweep/main/20260101T000000.json"), "200"},
		{"the finalizer gives a verdict", "finalizer", creating("staging", "pg/_pgseal/verdict/main/20260101T000000.json"), "200"},
		{"the finalizer leaves no marker", "finalizer", creating("staging", "pg/_pgseal/complete/main/20260102T000000.json"), denied},
		{"the finalizer cannot hide the seal", "finalizer", deleting("vault", backup+"backup.info"), denied},

		{"who restores reads the seal", "restore", getting("vault", backup+"backup.info"), "200"},
		{"who restores writes nothing", "restore", creating("vault", backup+"annotations/keep"), denied},
		{"the operator keeps a backup", "operator", creating("vault", backup+"annotations/keep"), "200"},
		{"the operator releases a backup", "operator", deleting("vault", backup+"annotations/keep"), "200"},
		{"the operator cannot hide the seal", "operator", deleting("vault", backup+"backup.info"), denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome(c.do(context.Background(), a.Client(who[c.who]), a)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func suspendVersions(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &a.Vault,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	return err
}

func changeLock(ctx context.Context, c *s3.Client, a *localaws.AWS) error {
	_, err := c.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: &a.Vault,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}})
	return err
}

func TestTheRefusalNamesWhoWhatAndWhere(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	_, err := putAs(a.Client(a.Host), a.Vault, "main/base/20260101T000000/backup.info", "forged", createOnly)
	for _, want := range []string{"AccessDenied", "role/pgseal-host is not authorized to perform: s3:PutObject",
		`"arn:aws:s3:::vault/main/base/20260101T000000/backup.info"`, "with an explicit deny"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	stranger := localaws.Identity{Name: "stranger", Credentials: localaws.Credentials{AccessKey: "NOBODY", SecretKey: "x"}}
	if got := outcome(listing("vault")(context.Background(), a.Client(stranger), a)); got != "Forbidden InvalidAccessKeyId" {
		t.Error(got)
	}
	forger := a.Host
	forger.Credentials.SecretKey = "guessed"
	if got := outcome(listing("vault")(context.Background(), a.Client(forger), a)); got != "Forbidden SignatureDoesNotMatch" {
		t.Error(got)
	}
}

func TestWithoutTheRightToListAMissingObjectIsForbidden(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{Statements: []localaws.Statement{{Sid: "NoListing", Effect: localaws.Deny,
		Principal: []string{"restore"}, Actions: []string{"s3:ListBucket"}, Resources: []string{"*"}}}})
	ctx := context.Background()
	if got := outcome(getting("vault", "main/missing")(ctx, a.Client(a.Restore), a)); got != denied {
		t.Error(got)
	}
	if got := outcome(heading("vault", "main/missing")(ctx, a.Client(a.Restore), a)); !strings.HasPrefix(got, "Forbidden") {
		t.Error(got)
	}
	if got := outcome(getting("vault", "main/missing")(ctx, a.Client(a.Operator), a)); got != "Not Found NoSuchKey" {
		t.Error(got)
	}
}

func TestDeletingManyIsJudgedKeyByKey(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	for _, key := range []string{"main/base/20260101T000000/annotations/keep", "main/base/20260101T000000/data.tar"} {
		if _, err := putAs(a.Client(a.Breakglass), a.Vault, key, "x"); err != nil {
			t.Fatal(err)
		}
	}
	out, err := a.Client(a.Operator).DeleteObjects(context.Background(), &s3.DeleteObjectsInput{Bucket: &a.Vault, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("main/base/20260101T000000/annotations/keep")},
			{Key: aws.String("main/base/20260101T000000/data.tar")}}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 1 || !aws.ToBool(out.Deleted[0].DeleteMarker) || len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" {
		t.Fatalf("deleted %+v, errors %+v", out.Deleted, out.Errors)
	}
	if got := read(t, a.Client(a.Restore), a.Vault, "main/base/20260101T000000/data.tar"); got != "x" {
		t.Errorf("the archive reads %q", got)
	}
}

func TestHostMaySetRetentionWhenTold(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{HostMaySetRetention: true})
	if _, err := putAs(a.Client(a.Host), a.Vault, "main/base/20260101T000000/data.tar", "x", createOnly, locked); err != nil {
		t.Fatal(err)
	}
	head, err := a.Client(a.Finalizer).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &a.Vault, Key: aws.String("main/base/20260101T000000/data.tar")})
	if err != nil || head.ObjectLockMode != types.ObjectLockModeCompliance {
		t.Fatalf("%+v %v", head, err)
	}
}
