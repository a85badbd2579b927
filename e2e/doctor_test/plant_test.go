package doctor_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"google.golang.org/api/option"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/localazure"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

// right is what a host must not have.
type right struct {
	s3    []string // actions, which its policy and the vault's then no longer deny
	gcs   string   // permission
	azure string   // data action
	names string   // pattern of the keys in the vault
	// unconditional: the vault's policy no longer asks creates for a condition.
	unconditional bool
}

var (
	toSeal = right{s3: []string{"s3:PutObject"}, gcs: "storage.objects.create", azure: "blobs/add/action", names: "*/backup.info"}
	// The host may create already.
	toOverwrite       = right{unconditional: true}
	toDelete          = right{s3: []string{"s3:DeleteObject"}, gcs: "storage.objects.delete", azure: "blobs/delete", names: "*"}
	toDeleteVersions  = right{s3: []string{"s3:DeleteObjectVersion"}, names: "*"}
	toChangeLock      = right{s3: []string{"s3:PutBucketObjectLockConfiguration"}, gcs: "storage.buckets.update"}
	toChangeLifecycle = right{s3: []string{"s3:PutLifecycleConfiguration"}}
	toSeeLifecycle    = right{s3: []string{"s3:GetLifecycleConfiguration"}}
	toSeeUploads      = right{s3: []string{"s3:ListBucketMultipartUploads"}}
)

// allow gives the host a right until the test ends.
func allow(t *testing.T, s *scene, r right) {
	t.Helper()
	switch c := s.Store.(type) {
	case *localaws.AWS:
		before := c.Rules.Statements()
		t.Cleanup(func() {
			if err := c.Rules.Replace(before...); err != nil {
				t.Error(err)
			}
		})
		after := slices.DeleteFunc(c.Rules.Statements(), func(st localaws.Statement) bool {
			return st.Effect == localaws.Deny && (slices.ContainsFunc(r.s3, func(a string) bool { return st.Sid != "OnlyConditionalCreates" && slices.Contains(st.Actions, a) }) ||
				r.unconditional && st.Sid == "OnlyConditionalCreates")
		})
		if len(r.s3) > 0 {
			arn := "arn:aws:s3:::" + c.Vault
			after = append(after, localaws.Statement{Sid: "Defect", Effect: localaws.Allow, Principal: []string{cloud.Host}, Actions: r.s3,
				Resources: []string{arn, arn + "/" + r.names, "arn:aws:s3:::" + c.Staging}})
		}
		if err := c.Rules.Replace(after...); err != nil {
			t.Fatal(err)
		}
	case *localgcp.GCP:
		b := localgcp.Binding{Name: "defect", Members: []string{cloud.Host}, Permissions: []string{r.gcs}, Bucket: c.Vault}
		if r.names != "" {
			b.Objects = []string{r.names}
		}
		c.Rules.Add(b)
		t.Cleanup(func() { c.Rules.Remove("defect") })
	case *localazure.Azure:
		t.Cleanup(c.Rules.Add(localazure.Rule{Name: "defect", Who: []string{cloud.Host}, Actions: []string{r.azure}, Container: c.Vault, Paths: []string{r.names}}))
	}
}

// arrange does what Terraform does besides, where a host can see it: Google Cloud's retention policy is locked, and a rule
// empties staging.
func arrange(t testing.TB, s *scene) {
	t.Helper()
	g, ok := s.Store.(*localgcp.GCP)
	if !ok {
		return
	}
	if err := gcs(t, g, g.Vault).If(storage.BucketConditions{MetagenerationMatch: 1}).LockRetentionPolicy(t.Context()); err != nil {
		t.Fatal(err)
	}
	emptied(t, g, 30)
}

// emptied has objects in staging deleted after some days; 0 is never.
func emptied(t testing.TB, g *localgcp.GCP, days int64) {
	t.Helper()
	rules := []storage.LifecycleRule{{Action: storage.LifecycleAction{Type: storage.AbortIncompleteMPUAction}, Condition: storage.LifecycleCondition{AgeInDays: 7}}}
	if days > 0 {
		rules = append(rules, storage.LifecycleRule{Action: storage.LifecycleAction{Type: storage.DeleteAction}, Condition: storage.LifecycleCondition{AgeInDays: days}})
	}
	update(t, g, g.Staging, storage.BucketAttrsToUpdate{Lifecycle: &storage.Lifecycle{Rules: rules}})
}

func update(t testing.TB, g *localgcp.GCP, name string, change storage.BucketAttrsToUpdate) {
	t.Helper()
	if _, err := gcs(t, g, name).Update(context.WithoutCancel(t.Context()), change); err != nil {
		t.Error(err)
	}
}

// gcs is a bucket as somebody sees it who may do anything.
func gcs(t testing.TB, g *localgcp.GCP, name string) *storage.BucketHandle {
	t.Helper()
	client, err := storage.NewClient(context.WithoutCancel(t.Context()), option.WithEndpoint(g.Endpoint+"/storage/v1/"),
		option.WithAuthCredentialsFile(option.ServiceAccount, g.KeyFile(cloud.Breakglass)), storage.WithJSONReads())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client.Bucket(name)
}

// lockStaging locks it until the test ends.
func lockStaging(t *testing.T, s *scene) {
	switch c := s.Store.(type) {
	case *localgcp.GCP:
		update(t, c, c.Staging, storage.BucketAttrsToUpdate{RetentionPolicy: &storage.RetentionPolicy{RetentionPeriod: time.Hour}})
		t.Cleanup(func() {
			update(t, c, c.Staging, storage.BucketAttrsToUpdate{RetentionPolicy: &storage.RetentionPolicy{}})
		})
	case *localazure.Azure:
		c.SetPolicy(c.Staging, time.Hour)
		t.Cleanup(func() { c.SetPolicy(c.Staging, 0) })
	}
}

// seeNoExpiry shows the host that no rule empties staging.
func seeNoExpiry(t *testing.T, s *scene) {
	switch c := s.Store.(type) {
	case *localaws.AWS:
		allow(t, s, toSeeLifecycle)
	case *localgcp.GCP:
		emptied(t, c, 0)
		t.Cleanup(func() { emptied(t, c, 30) })
	}
}

// hidingRule puts a rule on the vault that makes delete markers, and one on staging that empties it, and shows them to the
// host.
func hidingRule(t *testing.T, s *scene) visit {
	c := s.Store.(*localaws.AWS)
	allow(t, s, toSeeLifecycle)
	client := c.Client(c.Breakglass)
	for _, name := range []string{c.Vault, c.Staging} {
		_, err := client.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{Bucket: &name,
			LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
				ID: aws.String("expire"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
				Expiration: &types.LifecycleExpiration{Days: aws.Int32(30)},
			}}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := client.DeleteBucketLifecycle(context.WithoutCancel(t.Context()), &s3.DeleteBucketLifecycleInput{Bucket: &name}); err != nil {
				t.Error(err)
			}
		})
	}
	return visit{}
}

// oldUpload leaves an upload of two days ago in the vault, which the host may see.
func oldUpload(t *testing.T, s *scene) visit {
	c := s.Store.(*localaws.AWS)
	allow(t, s, toSeeUploads)
	client, key := c.Client(c.Breakglass), c.Root()+server+"/base/20260101T000000/data.tar"
	begun, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &c.Vault, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.AbortMultipartUpload(context.WithoutCancel(t.Context()), &s3.AbortMultipartUploadInput{Bucket: &c.Vault, Key: &key, UploadId: begun.UploadId}); err != nil {
			t.Error(err)
		}
	})
	aged := false
	err = filepath.WalkDir(c.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, "multipart") && d.Name() == aws.ToString(begun.UploadId) {
			aged = true
			then := time.Now().Add(-2 * days)
			return os.Chtimes(path, then, then)
		}
		return nil
	})
	if err != nil || !aged {
		t.Fatalf("the upload's directory was not found: %v", err)
	}
	return visit{}
}

// vaultVersions lets the vault keep versions until the test ends.
func vaultVersions(t *testing.T, s *scene) visit {
	c := s.Store.(*localgcp.GCP)
	update(t, c, c.Vault, storage.BucketAttrsToUpdate{VersioningEnabled: true})
	t.Cleanup(func() { update(t, c, c.Vault, storage.BucketAttrsToUpdate{VersioningEnabled: false}) })
	return visit{}
}
