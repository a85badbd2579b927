package seal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func init() { attempts["Google Cloud"] = gcsAttempts }

// gcsAttempts are those that the driver has no words for.
func gcsAttempts(t testing.TB, b *backup) []attempt {
	g := b.s.Store.(*localgcp.GCP)
	client, err := storage.NewClient(t.Context(), option.WithEndpoint(g.Endpoint+"/storage/v1/"),
		option.WithAuthCredentialsFile(option.ServiceAccount, g.KeyFile(cloud.Host)), storage.WithJSONReads())
	if err != nil {
		t.Fatal(err)
	}
	client.SetRetry(storage.WithPolicy(storage.RetryNever))
	t.Cleanup(func() { _ = client.Close() })
	vault := client.Bucket(g.Vault)
	seal, archive := vault.Object(g.Root()+b.Key(layout.BackupInfoName)), vault.Object(g.Root()+b.Key("data.tar"))
	return []attempt{
		{"delete an archive", func(ctx context.Context) error { return refusedByGCS(archive.Delete(ctx)) }},
		{"compose a seal", func(ctx context.Context) error {
			_, err := seal.ComposerFrom(archive).Run(ctx)
			return refusedByGCS(err)
		}},
		{"copy something to backup.info", func(ctx context.Context) error {
			_, err := seal.CopierFrom(archive).Run(ctx)
			return refusedByGCS(err)
		}},
		{"compose an archive anew", func(ctx context.Context) error {
			_, err := archive.ComposerFrom(archive, archive).Run(ctx)
			return refusedByGCS(err)
		}},
		{"change metadata", func(ctx context.Context) error {
			_, err := archive.Update(ctx, storage.ObjectAttrsToUpdate{Metadata: map[string]string{"x": "y"}})
			return refusedByGCS(err)
		}},
		{"shorten a lock", func(ctx context.Context) error {
			_, err := archive.OverrideUnlockedRetention(true).Update(ctx, storage.ObjectAttrsToUpdate{
				Retention: &storage.ObjectRetention{Mode: "Unlocked", RetainUntil: time.Now().Add(time.Second)}})
			return refusedByGCS(err)
		}},
		{"take the vault's policy away", func(ctx context.Context) error {
			_, err := vault.Update(ctx, storage.BucketAttrsToUpdate{RetentionPolicy: &storage.RetentionPolicy{}})
			return refusedByGCS(err)
		}},
	}
}

func refusedByGCS(err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) && answer.Code == http.StatusForbidden {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
