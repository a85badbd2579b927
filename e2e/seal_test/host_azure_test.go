package seal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func init() { attempts["Azure"] = blobAttempts }

// blobAttempts are those that the driver has no words for.
func blobAttempts(_ testing.TB, b *backup) []attempt {
	a := b.s.Store.(*localazure.Azure)
	vault := a.Client(a.Host, a.Vault)
	seal, archive := a.Root()+b.Key(layout.BackupInfoName), a.Root()+b.Key("data.tar")
	return []attempt{
		{"delete an archive", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(archive).Delete(ctx, nil)
			return refusedByAzure(err)
		}},
		{"copy something to backup.info", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(seal).CopyFromURL(ctx, vault.NewBlobClient(archive).URL(), nil)
			return refusedByAzure(err)
		}},
		{"change metadata", func(ctx context.Context) error {
			value := "y"
			_, err := vault.NewBlobClient(archive).SetMetadata(ctx, map[string]*string{"x": &value}, nil)
			return refusedByAzure(err)
		}},
		{"freeze an archive", func(ctx context.Context) error {
			_, err := vault.NewBlobClient(archive).SetTier(ctx, blob.AccessTierArchive, nil)
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
		{"delete the container", func(ctx context.Context) error {
			_, err := vault.Delete(ctx, nil)
			return refusedByAzure(err)
		}},
	}
}

func refusedByAzure(err error) error {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusConflict) {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
