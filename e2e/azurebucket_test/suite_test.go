package azurebucket_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func TestAzureKeepsTheContract(t *testing.T) {
	for name, c := range map[string]localazure.Config{
		"with a policy of the container": {VaultRetention: 24 * time.Hour},
		"with a policy and a legal hold": {VaultRetention: 24 * time.Hour, LegalHold: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c)
			buckettest.Run(t, s.suite())
			s.wantOnlyConditionalWrites(t)
		})
	}
}

// wantOnlyConditionalWrites looks through everything that the driver has sent: it is the log of the whole suite.
func (s *store) wantOnlyConditionalWrites(t *testing.T) {
	t.Helper()
	writes := 0
	for _, r := range s.Requests(cloud.By(cloud.Host)) {
		switch r.Operation {
		case "PutBlob", "PutBlockList":
			writes++
			if r.Bucket == s.Vault && r.IfNoneMatch != "*" {
				t.Errorf("a write without its condition: %+v", r)
			}
		case "PutBlock", "GetBlob", "GetBlobProperties", "GetContainerProperties", "ListBlobs":
		default: // no delete, no copy, nothing that changes what is there
			t.Errorf("the driver sent %+v", r)
		}
	}
	if writes == 0 {
		t.Error("the log has no write")
	}
}

func (s *store) suite() buckettest.Config {
	return buckettest.Config{
		Open:        func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Host, s.Vault) },
		OpenStaging: func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Host, s.Staging) },
		Missing:     func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Breakglass, "no-such-container") },
		Denied:      func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Restore, s.Vault) },
		Everything:  func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Breakglass, s.Vault) },
		Remover: func(t *testing.T, b bucket.Bucket) bucket.Remover {
			return azurebucket.Remover(s.open(t, cloud.Breakglass, strings.TrimPrefix(b.URL(), s.Endpoint+"/")).(*azurebucket.Bucket))
		},
		Keeps: buckettest.KeepsName,
		// What the interface lacks on purpose is done by somebody else.
		Overwrite: func(ctx context.Context, b bucket.Bucket, key string, body []byte) error {
			name, key := s.place(b, key)
			_, err := s.Client(s.Breakglass, name).NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), nil)
			return err
		},
		Delete: func(ctx context.Context, b bucket.Bucket, key, _ string) error {
			name, key := s.place(b, key)
			_, err := s.Client(s.Breakglass, name).NewBlobClient(key).Delete(ctx, nil)
			return err
		},
		LoseAnswer: func(t *testing.T, b bucket.Bucket, key string) {
			_, key = s.place(b, key)
			s.Faults.Add(cloud.Fault{Op: cloud.Create, Identity: cloud.Host, Key: key, Action: cloud.LoseResponse, Times: 1})
		},
		Cannot: map[string]string{
			"OpenUploads": "Azure has no uploads to be ended: blocks that nobody commits are no blob, cannot be deleted, and are dropped after a week (Put Block in the REST reference)",
		},
		FixedRetention: true, // a container's policy gives every blob the same period
		Now:            s.Clock.Now,
	}
}
