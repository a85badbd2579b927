package s3bucket_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestS3KeepsTheContract(t *testing.T) {
	for name, c := range map[string]localaws.Config{
		"with a default retention": {VaultRetention: 24 * time.Hour},
		"with a lock only":         {},
	} {
		t.Run(name, func(t *testing.T) {
			c.Statements = []localaws.Statement{suiteRights()}
			s := start(t, c)
			buckettest.Run(t, s.suite())
			if deletes := s.Requests(localaws.By("host"), localaws.Deletes); len(deletes) > 0 {
				t.Errorf("the driver deleted: %+v", deletes)
			}
			s.wantHarmlessAttempts(t)
			for _, r := range s.Requests(localaws.By("host"), localaws.Operations("PutObject", "CompleteMultipartUpload")) {
				if r.Bucket == s.Vault && r.IfNoneMatch != "*" {
					t.Errorf("a write without its condition: %+v", r)
				}
			}
		})
	}
}

// wantHarmlessAttempts looks at what Try has sent as somebody who may do everything: the local S3 would make no delete
// marker over nothing, and Amazon's would.
func (s *store) wantHarmlessAttempts(t *testing.T) {
	t.Helper()
	tried := 0
	for _, r := range s.Requests(localaws.By("breakglass"), localaws.Keys("*/base/nothing")) {
		switch {
		case r.Operation == "DeleteObject" && (r.Version != "" || r.IfMatch != ""), r.Operation == "PutObject", r.Operation == "CompleteMultipartUpload":
			if tried++; r.Status/100 == 2 && r.Operation != "DeleteObject" {
				t.Errorf("an attempt that was obeyed: %+v", r)
			}
		case r.Op != cloud.Stat && r.Op != cloud.List && r.Op != cloud.Read:
			t.Errorf("an attempt that could change something: %+v", r)
		}
	}
	for _, r := range s.Requests(localaws.By("breakglass"), localaws.Operations("PutBucketVersioning", "PutObjectLockConfiguration", "PutBucketLifecycleConfiguration")) {
		if tried++; r.Granted() {
			t.Errorf("an attempt that was obeyed: %+v", r)
		}
	}
	if tried == 0 {
		t.Error("no attempt was seen")
	}
}

func (s *store) suite() buckettest.Config {
	// What the interface lacks on purpose is done by somebody else.
	other := s.Client(s.Breakglass)
	return buckettest.Config{
		Open:        func(t *testing.T) bucket.Bucket { return s.open(t, s.Host, s.Vault) },
		OpenStaging: func(t *testing.T) bucket.Bucket { return s.open(t, s.Host, s.Staging) },
		Missing:     func(t *testing.T) bucket.Bucket { return s.open(t, s.Breakglass, "no-such-bucket") },
		Denied:      func(t *testing.T) bucket.Bucket { return s.open(t, s.Restore, s.Vault) },
		Everything:  func(t *testing.T) bucket.Bucket { return s.open(t, s.Breakglass, s.Vault) },
		Remover: func(t *testing.T, b bucket.Bucket) bucket.Remover {
			return s3bucket.Remover(s.open(t, s.Breakglass, strings.TrimPrefix(b.URL(), "s3://")).(*s3bucket.Bucket))
		},
		Keeps: buckettest.KeepsVersion,
		Overwrite: func(ctx context.Context, b bucket.Bucket, key string, body []byte) error {
			name, key := place(b, key)
			_, err := other.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(body)})
			return err
		},
		Delete: func(ctx context.Context, b bucket.Bucket, key, version string) error {
			name, key := place(b, key)
			in := &s3.DeleteObjectInput{Bucket: &name, Key: &key}
			if version != "" {
				in.VersionId = &version
			}
			_, err := other.DeleteObject(ctx, in)
			return err
		},
		OpenUploads: func(ctx context.Context, b bucket.Bucket) (int, error) {
			name, prefix := place(b, "")
			out, err := other.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &name, Prefix: aws.String(prefix)})
			if err != nil {
				return 0, err
			}
			return len(out.Uploads), nil
		},
		LoseAnswer: func(t *testing.T, b bucket.Bucket, key string) {
			_, key = place(b, key)
			for _, op := range []string{"PutObject", "CompleteMultipartUpload"} {
				s.Faults.Add(localaws.Fault{Operation: op, Identity: "host", Key: key, Action: localaws.LoseResponse, Times: 1})
			}
		},
		PartSize: 5 << 20,
	}
}
