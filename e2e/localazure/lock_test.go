package localazure_test

import (
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/pgseal/pgseal/e2e/localazure"
)

func text(s string) *streamed { return &streamed{strings.NewReader(s)} }

type streamed struct{ *strings.Reader }

func (*streamed) Close() error { return nil }

var id = base64.StdEncoding.EncodeToString([]byte("block"))

// changes are all that may change a blob.
func changes(b *blockblob.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Put Blob": func(ctx context.Context) error { _, err := b.Upload(ctx, text("other"), nil); return err },
		"Put Blob if new": func(ctx context.Context) error {
			_, err := b.Upload(ctx, text("other"), &blockblob.UploadOptions{AccessConditions: ifNew()})
			return err
		},
		"Put Block":      func(ctx context.Context) error { _, err := b.StageBlock(ctx, id, text("other"), nil); return err },
		"Put Block List": func(ctx context.Context) error { _, err := b.CommitBlockList(ctx, nil, nil); return err },
		"Set Blob Metadata": func(ctx context.Context) error {
			_, err := b.SetMetadata(ctx, map[string]*string{"a": to.Ptr("b")}, nil)
			return err
		},
		"Set Blob Properties": func(ctx context.Context) error {
			_, err := b.SetHTTPHeaders(ctx, blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain")}, nil)
			return err
		},
		"Set Blob Tier": func(ctx context.Context) error { _, err := b.SetTier(ctx, blob.AccessTierCool, nil); return err },
		"Snapshot Blob": func(ctx context.Context) error { _, err := b.CreateSnapshot(ctx, nil); return err },
		"Delete Blob":   func(ctx context.Context) error { _, err := b.Delete(ctx, nil); return err },
	}
}

func ifNew() *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
}

func create(t *testing.T, b *blockblob.Client) {
	t.Helper()
	if _, err := b.Upload(t.Context(), text("first"), nil); err != nil {
		t.Fatal(err)
	}
}

func TestAPolicyKeepsABlobAndItsName(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: 24 * time.Hour})
	b := a.Client(a.Breakglass, a.Vault).NewBlockBlobClient("k")
	create(t, b)
	refused := func(when string, code bloberror.Code, except string) {
		t.Helper()
		for name, change := range changes(b) {
			if err := change(t.Context()); name != except && !bloberror.HasCode(err, code) {
				t.Errorf("%s: %s = %v, want %s", when, name, err, code)
			}
		}
	}
	refused("in time", bloberror.BlobImmutableDueToPolicy, "")
	a.SetLegalHold(a.Vault, true)
	refused("under a hold", "BlobImmutableDueToLegalHold", "")
	a.Clock.Advance(25 * time.Hour)
	refused("after the time, under a hold", "BlobImmutableDueToLegalHold", "")
	a.SetLegalHold(a.Vault, false)
	for name, change := range changes(b) {
		if name == "Delete Blob" {
			continue
		}
		if err := change(t.Context()); !bloberror.HasCode(err, bloberror.BlobImmutableDueToPolicy) {
			t.Errorf("after the time: %s = %v, want it refused still", name, err)
		}
	}
	if _, err := b.Delete(t.Context(), nil); err != nil {
		t.Errorf("after the time: Delete = %v", err)
	}
	create(t, b)
	if _, err := b.Delete(t.Context(), nil); !bloberror.HasCode(err, bloberror.BlobImmutableDueToPolicy) {
		t.Errorf("a new blob of the name: Delete = %v", err)
	}
}

func TestWithoutAPolicyBlobsChange(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: time.Hour})
	for name := range changes(nil) {
		b := a.Client(a.Breakglass, a.Staging).NewBlockBlobClient(strings.ReplaceAll(name, " ", "-"))
		create(t, b)
		err := changes(b)[name](t.Context())
		if name == "Put Blob if new" {
			if !bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
				t.Errorf("%s = %v", name, err)
			}
		} else if err != nil {
			t.Errorf("%s = %v", name, err)
		}
	}
}

func TestRacingUnconditionalWritersMakeOneBlobUnderAPolicy(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: time.Hour})
	b := a.Client(a.Breakglass, a.Vault).NewBlockBlobClient("k")
	var wins, losses int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			_, err := b.Upload(context.Background(), text("x"), nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins++
			} else if bloberror.HasCode(err, bloberror.BlobImmutableDueToPolicy) {
				losses++
			}
		})
	}
	wg.Wait()
	if wins != 1 || losses != 11 {
		t.Errorf("%d wins, %d losses", wins, losses)
	}
}

func TestBlocksThatNobodyCommittedAreNoBlob(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: time.Hour})
	for _, name := range []string{a.Vault, a.Staging} {
		b := a.Client(a.Breakglass, name).NewBlockBlobClient("k")
		if _, err := b.StageBlock(t.Context(), id, text("part"), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := b.GetProperties(t.Context(), nil); !bloberror.HasCode(err, bloberror.BlobNotFound) {
			t.Errorf("%s: Get Blob Properties = %v", name, err)
		}
		if _, err := b.Upload(t.Context(), text("whole"), &blockblob.UploadOptions{AccessConditions: ifNew()}); err != nil {
			t.Errorf("%s: Put Blob if new = %v", name, err)
		}
	}
}

func TestAContainerTellsItsLockAndNotItsPeriod(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: time.Hour, LegalHold: true})
	for name, want := range map[string]bool{a.Vault: true, a.Staging: false} {
		p, err := a.Client(a.Restore, name).GetProperties(t.Context(), nil)
		if err != nil || *p.HasImmutabilityPolicy != want || *p.HasLegalHold != want || *p.IsImmutableStorageWithVersioningEnabled {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	_, err := a.Client(a.Breakglass, a.Vault).NewBlockBlobClient("k").Upload(t.Context(), text("x"), &blockblob.UploadOptions{
		ImmutabilityPolicyExpiryTime: to.Ptr(time.Now().Add(time.Hour)), ImmutabilityPolicyMode: to.Ptr(blob.ImmutabilityPolicySettingUnlocked),
	})
	if !bloberror.HasCode(err, bloberror.UnsupportedHeader) {
		t.Errorf("a policy of its own is taken and forgotten: %v", err)
	}
}
