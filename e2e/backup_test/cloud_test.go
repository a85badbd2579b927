package backup_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// cloudPlaces starts a local cloud. pgseal acts as the host, the test's own
// buckets as somebody who may do anything.
func cloudPlaces(t testing.TB, k clouds.Kind, config cloud.Config) (*clouds.Cloud, places) {
	t.Helper()
	config.Prefix = "barman"
	c := k.Start(t, config)
	p := places{vaultURL: c.VaultURL(), stagingURL: c.StagingURL(), env: c.Env(cloud.Host)}
	p.vault, p.staging = openAs(t, c, cloud.Breakglass, p.vaultURL), openAs(t, c, cloud.Breakglass, p.stagingURL)
	return c, p
}

func openAs(t testing.TB, c *clouds.Cloud, who, url string) bucket.Bucket {
	t.Helper()
	b, err := c.Open(t.Context(), who, url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// finalize does what the function does.
func finalize(t testing.TB, c *clouds.Cloud, id string) finalizer.Verdict {
	t.Helper()
	f := finalizer.Finalizer{
		Vault: openAs(t, c, cloud.Finalizer, c.VaultURL()), Staging: openAs(t, c, cloud.Finalizer, c.StagingURL()),
		Config:     finalizer.Config{WALDeadline: time.Hour},
		Decompress: func(suffix string, r io.Reader) (io.ReadCloser, error) { return codec.BySuffix(suffix).NewReader(r) },
		Now:        time.Now, Build: "test",
	}
	v, err := f.Finalize(context.WithoutCancel(t.Context()), server, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// noUploads fails the test if somebody began an upload and neither completed
// nor aborted it.
func noUploads(t testing.TB, c *clouds.Cloud) {
	t.Helper()
	if open, err := c.OpenUploads(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("uploads are open: %q, %v", open, err)
	}
}

// TestTheSeedsCommandLine: one word changed, staging from the environment, a
// slash at the end; then sealed by the finalizer's identity, and restored.
func TestTheSeedsCommandLine(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: 24 * time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Tablespaces: 1})
		c.LoadPgbench(3)
		stop := c.RunPgbench(2)
		name := "test-" + time.Now().UTC().Format("20060102T150405")
		cmd := command(t, append(p.env, "PGSEAL_STAGING_URL="+p.stagingURL, "PGHOST="+c.SocketDir, fmt.Sprint("PGPORT=", c.Port), "PGUSER=postgres"),
			"backup", "--cloud-provider="+k.Provider, "--lz4", "-J", "4", "-S", "5GB", "--immediate-checkpoint", "-n", name, p.vaultURL+"/", server)
		o := run(t, cmd)
		stop()
		if o.code != 0 {
			t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		has(t, o.stdout, "is complete, and not sealed yet", "pgseal status --staging-url "+p.stagingURL+" "+p.vaultURL+" main")
		id := o.id(t)
		for _, key := range keys(t, p.vault, layout.BackupDir(server, id)) {
			if strings.HasSuffix(key, "backup.info") {
				t.Fatal("the host has sealed its own backup")
			}
		}
		rows := c.SQL("SELECT count(*) FROM pgbench_history")
		c.ArchiveAll()
		if v := finalize(t, store, id); v.State != finalizer.Sealed {
			t.Fatalf("%+v", v)
		}
		has(t, content(t, p.vault, layout.BackupInfo(server, id)), "status=DONE", "backup_name="+name)
		noUploads(t, store)
		r := p.restored(t, c, id)
		if got := r.SQL("SELECT count(*) FROM pgbench_history"); got != rows {
			t.Errorf("%s rows, want %s", got, rows)
		}
		checkTablespaces(t, c, r)
	})
}
