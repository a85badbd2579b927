package attack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func init() {
	own[clouds.Azure.Name] = ways{replace: blobReplace, change: blobChange, keys: blobKeys, classes: blobClasses}
}

func blobReplace(_ *testing.T, s *scene, set *settest.Set) []try {
	a := s.Store.(*localazure.Azure)
	vault := a.Client(a.Host, a.Vault)
	seal, archive := a.Root()+set.Key(layout.BackupInfoName), a.Root()+set.Key("data.tar")
	return []try{
		{"delete an archive", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(archive).Delete(ctx, nil)
			return refusedByAzure(err)
		}},
		{"copy something to backup.info", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(seal).CopyFromURL(ctx, vault.NewBlobClient(archive).URL(), nil)
			return refusedByAzure(err)
		}},
		{"change metadata", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(archive).SetMetadata(ctx, map[string]*string{"x": to.Ptr("y")}, nil)
			return refusedByAzure(err)
		}},
		{"make a snapshot", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(archive).CreateSnapshot(ctx, nil)
			return refusedByAzure(err)
		}},
		{"append to an archive", func(ctx context.Context) error {
			_, err := vault.NewAppendBlobClient(archive).Create(ctx, nil)
			return refusedByAzure(err)
		}},
		{"commit other blocks", func(ctx context.Context) error {
			_, err := vault.NewBlockBlobClient(archive).CommitBlockList(ctx, nil, nil)
			return refusedByAzure(err)
		}},
		{"delete the container", func(ctx context.Context) error {
			_, err := vault.Delete(ctx, nil)
			return refusedByAzure(err)
		}},
	}
}

func blobChange(_ *testing.T, s *scene, set *settest.Set) (tries []try) {
	a := s.Store.(*localazure.Azure)
	archive := a.Client(a.Host, a.Vault).NewBlobClient(a.Root() + set.Key("data.tar"))
	for _, tier := range []blob.AccessTier{blob.AccessTierArchive, blob.AccessTierCool, blob.AccessTierHot} {
		tries = append(tries, try{"tier " + string(tier), func(ctx context.Context) error {
			_, err := archive.SetTier(ctx, tier, nil)
			return refusedByAzure(err)
		}})
	}
	return append(tries, try{"another tier by a copy", func(ctx context.Context) error {
		_, err := archive.StartCopyFromURL(ctx, archive.URL(), &blob.StartCopyFromURLOptions{Tier: to.Ptr(blob.AccessTierArchive)})
		return refusedByAzure(err)
	}})
}

// blobKeys: no role refuses them, so the finalizer does.
func blobKeys(_ *testing.T, s *scene) []variant {
	key := []byte("01234567890123456789012345678901")
	sum := sha256.Sum256(key)
	cpk := &blob.CPKInfo{EncryptionAlgorithm: to.Ptr(blob.EncryptionAlgorithmTypeAES256),
		EncryptionKey: to.Ptr(base64.StdEncoding.EncodeToString(key)), EncryptionKeySHA256: to.Ptr(base64.StdEncoding.EncodeToString(sum[:]))}
	return []variant{blobVariant(s, "a key that only the host has", blockblob.UploadOptions{CPKInfo: cpk}, "unreadable")}
}

func blobClasses(_ *testing.T, s *scene) []variant {
	return []variant{blobVariant(s, "Archive", blockblob.UploadOptions{Tier: to.Ptr(blob.AccessTierArchive)}, "class")}
}

func blobVariant(s *scene, name string, o blockblob.UploadOptions, code string) variant {
	a := s.Store.(*localazure.Azure)
	vault := a.Client(a.Host, a.Vault)
	return variant{name, func(ctx context.Context, key string, body []byte) error {
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
		// As the driver keeps it, so that nothing else is wrong with the blob.
		o.Metadata = map[string]*string{"pgseal_crc32c": to.Ptr(crc32c(body))}
		_, err := vault.NewBlockBlobClient(a.Root()+key).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), &o)
		return refusedByAzure(err)
	}, code}
}

func refusedByAzure(err error) error {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusConflict) {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
