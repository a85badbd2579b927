package backup_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// s3Places starts a local AWS. pgseal acts as the host, the test's own buckets
// as somebody who may do anything.
func s3Places(t testing.TB, config localaws.Config) (*localaws.AWS, places) {
	t.Helper()
	config.Prefix = "barman"
	aws := localaws.Start(t, config)
	var profiles strings.Builder
	for _, who := range []localaws.Identity{aws.Finalizer, aws.Breakglass} {
		fmt.Fprintf(&profiles, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who.Name, who.Credentials.AccessKey, who.Credentials.SecretKey)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte(profiles.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	p := places{vaultURL: aws.VaultURL(), stagingURL: aws.StagingURL(), env: aws.Host.Env()}
	p.vault, p.staging = openS3(t, aws, aws.Breakglass, p.vaultURL), openS3(t, aws, aws.Breakglass, p.stagingURL)
	return aws, p
}

func openS3(t testing.TB, aws *localaws.AWS, who localaws.Identity, url string) bucket.Bucket {
	t.Helper()
	b, err := s3bucket.Open(t.Context(), s3bucket.Options{URL: url, Endpoint: aws.Endpoint, Region: localaws.Region, Profile: who.Name})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// finalize does what the function does.
func finalize(t testing.TB, aws *localaws.AWS, id string) finalizer.Verdict {
	t.Helper()
	f := finalizer.Finalizer{
		Vault: openS3(t, aws, aws.Finalizer, aws.VaultURL()), Staging: openS3(t, aws, aws.Finalizer, aws.StagingURL()),
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

// openUploads lists the multipart uploads that somebody began and neither
// completed nor aborted.
func openUploads(aws *localaws.AWS) (open int) {
	for _, r := range aws.Requests(localaws.Operations("CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload")) {
		switch {
		case r.Status/100 != 2:
		case r.Operation == "CreateMultipartUpload":
			open++
		default:
			open--
		}
	}
	return open
}

// TestTheSeedsCommandLine: one word changed, staging from the environment, a
// slash at the end; then sealed by the finalizer's identity, and restored.
func TestTheSeedsCommandLine(t *testing.T) {
	aws, p := s3Places(t, localaws.Config{VaultRetention: 24 * time.Hour})
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Tablespaces: 1})
	c.LoadPgbench(3)
	stop := c.RunPgbench(2)
	name := "test-" + time.Now().UTC().Format("20060102T150405")
	cmd := command(t, append(p.env, "PGSEAL_STAGING_URL="+p.stagingURL, "PGHOST="+c.SocketDir, fmt.Sprint("PGPORT=", c.Port), "PGUSER=postgres"),
		"backup", "--cloud-provider=aws-s3", "--lz4", "-J", "4", "-S", "5GB", "--immediate-checkpoint", "-n", name, p.vaultURL+"/", server)
	o := run(t, cmd)
	stop()
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	has(t, o.stdout, "is complete, and not sealed yet", "pgseal status --staging-url s3://staging/barman s3://vault/barman main")
	id := o.id(t)
	for _, key := range keys(t, p.vault, layout.BackupDir(server, id)) {
		if strings.HasSuffix(key, "backup.info") {
			t.Fatal("the host has sealed its own backup")
		}
	}
	rows := c.SQL("SELECT count(*) FROM pgbench_history")
	c.ArchiveAll()
	if v := finalize(t, aws, id); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
	has(t, content(t, p.vault, layout.BackupInfo(server, id)), "status=DONE", "backup_name="+name)
	if n := openUploads(aws); n != 0 {
		t.Errorf("%d uploads are open", n)
	}
	r := p.restored(t, c, id)
	if got := r.SQL("SELECT count(*) FROM pgbench_history"); got != rows {
		t.Errorf("%s rows, want %s", got, rows)
	}
	checkTablespaces(t, c, r)
}
