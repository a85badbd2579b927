package seal_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// overwrite puts a second version on top, which only somebody with more rights than a host and a finalizer can.
func (b *backup) overwrite(t testing.TB, key string, body []byte) {
	t.Helper()
	if _, err := b.s.damage.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
}

// hide puts a delete marker on a key of the vault, and gives its version.
func (b *backup) hide(t testing.TB, key string) string {
	t.Helper()
	return b.remove(t, b.s.Vault, key)
}

// remove deletes without naming a version.
func (b *backup) remove(t testing.TB, bucket, key string) string {
	t.Helper()
	return b.removeVersion(t, bucket, key, "")
}

func (b *backup) removeVersion(t testing.TB, bucket, key, version string) string {
	t.Helper()
	in := &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(b.s.Prefix + "/" + key)}
	if version != "" {
		in.VersionId = aws.String(version)
	}
	out, err := b.s.Client(b.s.Breakglass).DeleteObject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.VersionId)
}

// deny takes a right on a key of the vault (or a pattern of keys) from the finalizer.
func (s *story) deny(t testing.TB, action, key string) {
	t.Helper()
	if err := s.Rules.Add(localaws.Statement{Sid: "Missing", Effect: localaws.Deny, Principal: []string{s.Finalizer.Name},
		Actions: []string{action}, Resources: []string{"arn:aws:s3:::" + s.Vault + "/" + s.Prefix + "/" + key}}); err != nil {
		t.Fatal(err)
	}
}
