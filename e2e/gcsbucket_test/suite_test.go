package gcsbucket_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func TestGCSKeepsTheContract(t *testing.T) {
	for name, c := range map[string]localgcp.Config{
		"with a retention policy":                {VaultRetention: 24 * time.Hour},
		"with a locked retention policy":         {VaultRetention: 24 * time.Hour, LockPolicy: true},
		"with retention of single objects only":  {},
		"with versions":                          {VaultRetention: 24 * time.Hour, VaultVersions: true},
		"told of the retention first":            {VaultRetention: 24 * time.Hour, Existing: localgcp.RetentionFirst},
		"told of the right to replace first":     {VaultRetention: 24 * time.Hour, Existing: localgcp.RightFirst},
		"refused when the upload begins":         {VaultRetention: 24 * time.Hour, EarlyRefusal: true},
		"refused early, told of retention first": {VaultRetention: 24 * time.Hour, EarlyRefusal: true, Existing: localgcp.RetentionFirst},
	} {
		t.Run(name, func(t *testing.T) {
			c.Bindings = suiteRights()
			s := start(t, c)
			buckettest.Run(t, s.suite())
			s.wantOnlyConditionalWrites(t)
		})
	}
}

// wantOnlyConditionalWrites looks at all that the driver sent to the vault.
func (s *store) wantOnlyConditionalWrites(t *testing.T) {
	t.Helper()
	for _, r := range s.Requests(cloud.By(cloud.Host)) {
		switch {
		case r.Op == cloud.Delete, r.Op == cloud.Other && strings.HasPrefix(r.Operation, "objects."):
			t.Errorf("the driver sent %+v", r)
		case (r.Op == cloud.Create || r.Op == cloud.Begin) && r.Bucket == s.Vault && !r.CreateOnly && !strings.Contains(r.Query, "upload_id"):
			t.Errorf("a write without its condition: %+v", r)
		}
	}
	if n := len(s.Requests(cloud.By(cloud.Host), cloud.In(s.Vault), cloud.Ops(cloud.Create))); n < 100 {
		t.Errorf("only %d writes were seen", n)
	}
}

func (s *store) suite() buckettest.Config {
	// What the interface lacks on purpose is done by somebody else.
	other := func(b bucket.Bucket) *raw { name, _ := place(b, ""); return s.raw(cloud.Breakglass, name) }
	return buckettest.Config{
		Open:        func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Host, s.Vault) },
		OpenStaging: func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Host, s.Staging) },
		Missing:     func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Breakglass, "no-such-bucket") },
		Denied:      func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Restore, s.Vault) },
		Everything:  func(t *testing.T) bucket.Bucket { return s.open(t, cloud.Breakglass, s.Vault) },
		Remover: func(t *testing.T, b bucket.Bucket) bucket.Remover {
			return gcsbucket.Remover(s.open(t, cloud.Breakglass, strings.TrimPrefix(b.URL(), "gs://")).(*gcsbucket.Bucket))
		},
		Keeps: s.Keeps(),
		Overwrite: func(ctx context.Context, b bucket.Bucket, key string, body []byte) error {
			_, key = place(b, key)
			return other(b).put(ctx, key, "", bytes.NewReader(body))
		},
		Delete: func(ctx context.Context, b bucket.Bucket, key, version string) error {
			_, key = place(b, key)
			return other(b).remove(ctx, key, version)
		},
		OpenUploads: s.uploads,
		LoseAnswer: func(_ *testing.T, b bucket.Bucket, key string) {
			_, key = place(b, key)
			s.Faults.Add(cloud.Fault{Op: cloud.Create, Identity: cloud.Host, Key: key, Action: cloud.LoseResponse, Times: 1})
		},
		PartSize: 256 << 10,
		Cannot:   map[string]string{},
	}
}
