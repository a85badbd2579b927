package attack_test

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
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func init() {
	own[clouds.GCP.Name] = ways{replace: gcsReplace, change: gcsChange, keys: gcsKeys, classes: gcsClasses}
}

// gcsVault is the vault in the hands of the host's own client.
func gcsVault(t *testing.T, s *scene) (*storage.BucketHandle, string) {
	t.Helper()
	g := s.Store.(*localgcp.GCP)
	client, err := storage.NewClient(t.Context(), option.WithEndpoint(g.Endpoint+"/storage/v1/"),
		option.WithAuthCredentialsFile(option.ServiceAccount, g.KeyFile(cloud.Host)), storage.WithJSONReads())
	if err != nil {
		t.Fatal(err)
	}
	client.SetRetry(storage.WithPolicy(storage.RetryNever))
	t.Cleanup(func() { _ = client.Close() })
	return client.Bucket(g.Vault), g.Root()
}

func gcsReplace(t *testing.T, s *scene, set *settest.Set) []try {
	vault, root := gcsVault(t, s)
	seal, archive := vault.Object(root+set.Key(layout.BackupInfoName)), vault.Object(root+set.Key("data.tar"))
	return []try{
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

// gcsChange: an object's class and key change by a rewrite of it over itself.
func gcsChange(t *testing.T, s *scene, set *settest.Set) []try {
	vault, root := gcsVault(t, s)
	archive := vault.Object(root + set.Key("data.tar"))
	return []try{
		{"another class by a rewrite", func(ctx context.Context) error {
			c := archive.CopierFrom(archive)
			c.StorageClass = "ARCHIVE"
			_, err := c.Run(ctx)
			return refusedByGCS(err)
		}},
		{"another key by a rewrite", func(ctx context.Context) error {
			c := archive.CopierFrom(archive)
			c.DestinationKMSKeyName = foreignKMS
			_, err := c.Run(ctx)
			return refusedByGCS(err)
		}},
		{"a key of its own by a rewrite", func(ctx context.Context) error {
			_, err := archive.Key(hostsKey).CopierFrom(archive).Run(ctx)
			return refusedByGCS(err)
		}},
	}
}

const foreignKMS = "projects/of-the-host/locations/europe-west3/keyRings/r/cryptoKeys/k"

// hostsKey is a key that only the host has.
var hostsKey = []byte("01234567890123456789012345678901")

// gcsKeys: no rule of Google's refuses them, so the finalizer does.
func gcsKeys(t *testing.T, s *scene) []variant {
	vault, root := gcsVault(t, s)
	return []variant{
		{"a key of the host's project", func(ctx context.Context, key string, body []byte) error {
			w := vault.Object(root + key).If(storage.Conditions{DoesNotExist: true}).NewWriter(ctx)
			w.KMSKeyName = foreignKMS
			return written(w, body)
		}, "encryption"},
		{"a key that only the host has", func(ctx context.Context, key string, body []byte) error {
			return written(vault.Object(root+key).If(storage.Conditions{DoesNotExist: true}).Key(hostsKey).NewWriter(ctx), body)
		}, "encryption|unreadable"},
	}
}

// gcsClasses: all of them are read at once, at another price.
func gcsClasses(t *testing.T, s *scene) []variant {
	vault, root := gcsVault(t, s)
	return []variant{{"ARCHIVE", func(ctx context.Context, key string, body []byte) error {
		w := vault.Object(root + key).If(storage.Conditions{DoesNotExist: true}).NewWriter(ctx)
		w.StorageClass = "ARCHIVE"
		return written(w, body)
	}, ""}}
}

func written(w *storage.Writer, body []byte) error {
	_, err := w.Write(body)
	return refusedByGCS(errors.Join(err, w.Close()))
}

func refusedByGCS(err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) && answer.Code == http.StatusForbidden {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
