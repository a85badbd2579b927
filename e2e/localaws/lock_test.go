package localaws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestOfManyRacingCreatesOneWins(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour})
	fresh, marked := "main/base/20260101T000000/backup.info", "main/base/20260102T000000/backup.info"
	hideByMarker(t, a, marked)
	padding := strings.Repeat("x", 1<<20) // long enough that the writers overlap
	for name, key := range map[string]string{"a fresh key": fresh, "a key under a delete marker": marked} {
		t.Run(name, func(t *testing.T) {
			var won, refused atomic.Int32
			var all sync.WaitGroup
			client := a.Client(a.Finalizer)
			for i := range 24 {
				all.Go(func() {
					_, err := putAs(client, a.Vault, key, fmt.Sprint("writer ", i, padding), createOnly)
					switch got := outcome(err); got {
					case "200":
						won.Add(1)
					case "Precondition Failed PreconditionFailed":
						refused.Add(1)
					default:
						t.Error(got, err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || refused.Load() != 23 {
				t.Errorf("%d won, %d were refused", won.Load(), refused.Load())
			}
		})
	}
}

// hideByMarker creates the key and puts a delete marker on top.
func hideByMarker(t *testing.T, a *localaws.AWS, key string) {
	t.Helper()
	client := a.Client(a.Breakglass)
	if _, err := putAs(client, a.Vault, key, "hidden", createOnly); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &a.Vault, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

func TestALockedVersionCannotBeDeletedByAnybody(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour})
	client, key := a.Client(a.Breakglass), "main/base/20260101T000000/data.tar"
	written, err := putAs(client, a.Vault, key, "x", createOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, bypass := range []bool{false, true} {
		_, err = client.DeleteObject(context.Background(), &s3.DeleteObjectInput{
			Bucket: &a.Vault, Key: &key, VersionId: written.VersionId, BypassGovernanceRetention: aws.Bool(bypass)})
		if outcome(err) != denied {
			t.Errorf("with bypass %v: %s", bypass, outcome(err))
		}
	}
	_, err = client.PutObjectRetention(context.Background(), &s3.PutObjectRetentionInput{Bucket: &a.Vault, Key: &key,
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: aws.Time(time.Now().Add(time.Hour))}})
	if outcome(err) != denied {
		t.Errorf("shortening: %s", outcome(err))
	}
}

func TestAnExpiredLockLetsGoThoughTheBucketShowsADay(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{VaultRetention: 1500 * time.Millisecond})
	client, key := a.Client(a.Breakglass), "main/base/20260101T000000/data.tar"
	written, err := putAs(client, a.Vault, key, "x", createOnly)
	if err != nil {
		t.Fatal(err)
	}
	remove := func() error {
		_, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &a.Vault, Key: &key, VersionId: written.VersionId})
		return err
	}
	head, err := client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &a.Vault, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	if time.Now().Before(aws.ToTime(head.ObjectLockRetainUntilDate)) && outcome(remove()) != denied {
		t.Error("deleted while it was locked")
	}
	time.Sleep(time.Until(aws.ToTime(head.ObjectLockRetainUntilDate)) + 100*time.Millisecond)
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestALaterDefaultRetentionDoesNotTouchOlderVersions(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	client, key := a.Client(a.Breakglass), "main/base/20260101T000000/data.tar"
	written, err := putAs(client, a.Vault, key, "x", createOnly)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.CreateLockedBucket(context.Background(), a.Vault, types.ObjectLockRetentionModeCompliance, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &a.Vault, Key: &key, VersionId: written.VersionId}); err != nil {
		t.Error(err)
	}
}

func TestALockedWriteNeedsAChecksum(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour})
	bare := a.Client(a.Host, func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	_, err := putAs(bare, a.Vault, "main/base/20260101T000000/data.tar", "x", createOnly)
	if outcome(err) != "Bad Request InvalidRequest" {
		t.Error(outcome(err))
	}
	if _, err := putAs(bare, a.Staging, "main/base/20260101T000000/backup.info", "x"); err != nil {
		t.Errorf("staging has no lock: %v", err)
	}
}

func TestCreateOnlyPassesOverADeleteMarker(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	key := "main/base/20260101T000000/data.tar"
	hideByMarker(t, a, key)
	if _, err := putAs(a.Client(a.Host), a.Vault, key, "second", createOnly); err != nil {
		t.Fatal(err)
	}
	kinds, _ := versionsOf(t, a, "main/", 1000)
	if want := []string{"version*", "marker", "version"}; !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}

	hideByMarker(t, a, "main/base/20260102T000000/data.tar")
	multipart(t, a, "main/base/20260102T000000/data.tar")
}

func TestVersionPagesRepeatNothing(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	client := a.Client(a.Breakglass)
	for i := range 4 {
		key := fmt.Sprintf("main/wals/00000001000000%02d/x", i)
		for range 3 {
			if _, err := putAs(client, a.Vault, key, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &a.Vault, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	_, whole := versionsOf(t, a, "main/", 1000)
	if len(whole) != 16 {
		t.Fatalf("%d entries: %v", len(whole), whole)
	}
	for size := int32(1); size < 8; size++ {
		if _, paged := versionsOf(t, a, "main/", size); !slices.Equal(paged, whole) {
			t.Errorf("by %d: %v, want %v", size, paged, whole)
		}
	}
	for size := int32(1); size < 6; size++ {
		pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{
			Bucket: &a.Vault, Prefix: aws.String("main/wals/"), Delimiter: aws.String("/"), MaxKeys: &size})
		var prefixes []string
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.CommonPrefixes {
				prefixes = append(prefixes, *p.Prefix)
			}
		}
		if len(prefixes) != 4 || !slices.IsSorted(prefixes) {
			t.Errorf("prefixes by %d: %v", size, prefixes)
		}
	}
}

// versionsOf lists all versions under the prefix in pages of the size, as kinds (the newest of a key with a star) and
// as names, both sorted by name from the greatest; version ids here grow with time.
func versionsOf(t *testing.T, a *localaws.AWS, prefix string, size int32) (kinds, names []string) {
	t.Helper()
	type entry struct{ name, kind string }
	var entries []entry
	pages := s3.NewListObjectVersionsPaginator(a.Client(a.Finalizer), &s3.ListObjectVersionsInput{Bucket: &a.Vault, Prefix: &prefix, MaxKeys: &size})
	star := map[bool]string{true: "*"}
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(page.Versions) + len(page.DeleteMarkers); n > int(size) {
			t.Fatalf("a page of %d has %d entries", size, n)
		}
		for _, v := range page.Versions {
			entries = append(entries, entry{*v.Key + " " + *v.VersionId, "version" + star[*v.IsLatest]})
		}
		for _, m := range page.DeleteMarkers {
			entries = append(entries, entry{*m.Key + " " + *m.VersionId, "marker" + star[*m.IsLatest]})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(b.name, a.name) })
	for _, e := range entries {
		kinds, names = append(kinds, e.kind), append(names, e.name)
	}
	return kinds, names
}
