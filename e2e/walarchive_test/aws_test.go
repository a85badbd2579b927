package walarchive_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// What is Amazon S3's own: its credentials, locks, tags and encryption.

func TestTheTestOfTheStore(t *testing.T) {
	t.Parallel()
	a := start(t, clouds.AWS, cloud.Config{})
	test := func(url string, env ...string) answer {
		cmd := a.command(t, cloud.Host, build.Pgseal(t), "wal-archive", "--test", url, server)
		cmd.Env = append(cmd.Env, env...)
		return wait(t, cmd)
	}
	test(a.VaultURL()).want(t, 0)
	test("s3://missing-bucket/a").want(t, 1, "s3://missing-bucket/a", "AccessDenied") // as S3 tells those who may do nothing there
	wait(t, a.command(t, cloud.Breakglass, build.Pgseal(t), "wal-archive", "-t", "s3://missing-bucket/a", server)).want(t, 1, "not found", "NoSuchBucket")
	test(a.VaultURL(), "AWS_SECRET_ACCESS_KEY=wrong").want(t, 1, "SignatureDoesNotMatch")
	test(a.VaultURL(), "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1").want(t, 2, "no answer")
	if stored := versions(t, a); len(stored) != 0 {
		t.Errorf("stored %v", stored)
	}
	wantNoUploads(t, a)
}

func TestLocksTagsAndEncryptionReachTheStore(t *testing.T) {
	t.Parallel()
	a := start(t, clouds.AWS, cloud.Config{HostMaySetRetention: true})
	aws := a.Store.(*localaws.AWS)
	if err := aws.Rules.Add(localaws.Statement{Effect: localaws.Allow, Principal: []string{cloud.Host}, Actions: []string{"s3:PutObjectTagging"},
		Resources: []string{"arn:aws:s3:::vault/main/wals/*"}}); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--tag", "purpose,wal", "--history-tag", "purpose,history", "--retention", "30d", "--lock-mode", "compliance", "--encryption", "AES256"}
	archive(t, a, write(t, first, segment(mib, 'a')), flags...).want(t, 0)
	archive(t, a, write(t, "00000002.history", []byte("1\t0/3000000\tno recovery target specified\n")), flags...).want(t, 0)
	for key, tag := range map[string]string{onTheir + first: "wal", "main/wals/00000002.history": "history"} {
		h, err := aws.Client(aws.Breakglass).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &aws.Vault, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(*h.ObjectLockRetainUntilDate); left < 29*24*time.Hour || left > 31*24*time.Hour || h.ObjectLockMode != "COMPLIANCE" {
			t.Errorf("%s: %s until %v", key, h.ObjectLockMode, h.ObjectLockRetainUntilDate)
		}
		tags, err := aws.Client(aws.Breakglass).GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &aws.Vault, Key: &key})
		if err != nil || len(tags.TagSet) != 1 || *tags.TagSet[0].Value != tag {
			t.Errorf("%s: %+v, %v", key, tags, err)
		}
	}
	for _, r := range a.Requests(cloud.Ops(cloud.Create)) {
		if r.IfNoneMatch != "*" {
			t.Errorf("not a conditional create: %+v", r)
		}
	}
}
