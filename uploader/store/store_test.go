package store_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

func parse(t *testing.T, command string, args ...string) *option.Values {
	t.Helper()
	cmd, _, rest, err := option.Find(append([]string{"pgseal", command}, args...))
	if err != nil {
		t.Fatal(err)
	}
	v, err := cmd.Parse(append(rest, "url", "server"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestURLsAreOpenedOrRefusedInOneLine(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "")
	for _, tc := range []struct {
		url  string
		args []string
		want string // the URL that it has then
		says string // or what the refusal says
	}{
		{url: "s3://bucket/barman/", want: "s3://bucket/barman"},
		{url: "s3://bucket//", want: "s3://bucket"},
		{url: "s3://bucket/a", args: []string{"--cloud-provider", "aws-s3", "--endpoint-url", "http://127.0.0.1:9000", "-e", "aws:kms", "--sse-kms-key-id", "k", "--lock-mode", "governance"}, want: "s3://bucket/a"},
		{url: "file:///srv/vault/", want: "file:///srv/vault"},
		{url: "gs://bucket/path//", want: "gs://bucket/path"},
		{url: "gs://bucket/path", args: []string{"--kms-key-name", "projects/p/locations/l/keyRings/r/cryptoKeys/k", "--lock-mode", "governance", "--read-timeout", "5"}, want: "gs://bucket/path"},
		{url: "gs://bucket/path", args: []string{"--kms-key-name", "k"}, says: "projects/P/locations/L/keyRings/R/cryptoKeys/K"},
		{url: "gs://B/path", says: "no name of a bucket"},
		{url: "https://console.cloud.google.com/storage/browser/bucket/path", args: []string{"--cloud-provider", "google-cloud-storage"}, want: "gs://bucket/path"},
		{url: "https://account.blob.core.windows.net/container/", want: "https://account.blob.core.windows.net/container"},
		{url: "https://account.blob.core.windows.net/container/a", args: []string{"--cloud-provider", "azure-blob-storage", "--azure-credential", "azure-cli", "--encryption-scope", "e", "--lock-mode", "governance"}, want: "https://account.blob.core.windows.net/container/a"},
		{url: "https://account.blob.core.windows.net/Container", says: "name of a container"},
		{url: "http://127.0.0.1:10000/account/container", says: "AZURE_STORAGE_CONNECTION_STRING"},
		{url: "s3://bucket/a", args: []string{"--cloud-provider", "google-cloud-storage"}, says: "give gs://bucket/path"},
		{url: "gs://bucket/a", args: []string{"--cloud-provider", "aws-s3"}, says: "give s3://bucket/path"},
		{url: "file:///srv/vault", args: []string{"--cloud-provider", "azure-blob-storage"}, says: "leave --cloud-provider out"},
		{url: "bucket/path", says: "write s3://bucket/path"},
		{url: "/srv/vault", says: "file:///path"},
		{url: "ftp://host/path", says: "not the URL of a store"},
		{url: "s3://B/", says: "name of an S3 bucket"},
		{url: "file://srv/vault", says: "file:///srv/vault"},
		{url: "s3://bucket", args: []string{"-P", "nobody"}, says: "nobody"},
		{url: "s3://bucket", args: []string{"--sse-kms-key-id", "k"}, says: "aws:kms"},
		{url: "s3://a b\n", says: "invalid"},
	} {
		b, err := store.Open(t.Context(), tc.url, parse(t, "backup", tc.args...))
		var usage *option.Error
		switch {
		case tc.want != "" && (err != nil || b.URL() != tc.want):
			t.Errorf("%s %v: %v, want %s", tc.url, tc.args, err, tc.want)
		case tc.says != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%s %v: %v, want an error of the arguments with %q", tc.url, tc.args, err, tc.says)
		}
	}
	for _, command := range []string{"status", "finalize", "wal-archive"} { // which have fewer options
		for _, url := range []string{"s3://bucket", "gs://bucket"} {
			if _, err := store.Open(t.Context(), url, parse(t, command)); err != nil {
				t.Errorf("%s %s: %v", command, url, err)
			}
		}
	}
}

func TestFilesAreSentInBlocksWhereAzureIsAskedTo(t *testing.T) {
	args := parse(t, "wal-archive", "--max-block-size", "1MB", "--max-concurrency", "3", "--max-single-put-size", "2MB")
	if got, want := store.Parts("https://account.blob.core.windows.net/c", args), (walarchive.Parts{LongerThan: 2 << 20, Size: 1 << 20, InFlight: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := store.Parts("s3://bucket", args); got != (walarchive.Parts{}) {
		t.Errorf("S3: %+v", got)
	}
}

func TestVaultAndStagingAreApart(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		vault, staging string
		refused        bool
	}{
		{"s3://vault/a", "s3://staging/a", false},
		{"s3://bucket/vault", "s3://bucket/staging", false},
		{"s3://bucket/vault", "s3://bucket/vault2", false},
		{"s3://bucket/a/", "s3://bucket/a", true},
		{"s3://bucket/a", "s3://bucket/a/staging", true},
		{"s3://bucket/a/vault", "s3://bucket/a", true},
		{"s3://bucket", "s3://bucket/staging", true},
		{"file:///srv/a", "s3://srv/a", false},
		{"file:///srv/vault", "file:///srv/staging", false},
		{"file:///srv/vault", "file://localhost/srv/./vault/", true},
		{"file:///srv/vault", "file:///srv/vault/staging", true},
		{"file://" + dir + "/v", "file://" + link + "/v", true},
		{"file://" + dir + "/v", "file://" + link + "/s", false},
		{"file://" + dir, "file://" + link + "/s/t", true},
	} {
		v, err := store.Open(t.Context(), tc.vault, parse(t, "backup"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), tc.staging, parse(t, "backup"))
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Apart(v, s); (err != nil) != tc.refused {
			t.Errorf("%s and %s: %v", tc.vault, tc.staging, err)
		}
	}
}

func TestDirectoriesAreMadeOnceAndNeverForAMissingDisk(t *testing.T) {
	disk := t.TempDir()
	vault, staging := "file://"+disk+"/vault", "file://"+disk+"/staging"
	if made, err := store.MakeVault(vault, staging, 720*time.Hour); !made || err != nil {
		t.Fatalf("%t, %v", made, err)
	}
	if made, err := store.MakeStaging(staging); !made || err != nil {
		t.Fatalf("%t, %v", made, err)
	}
	b, err := filebucket.Open(vault)
	if err != nil {
		t.Fatal(err)
	}
	if lock, err := b.Lock(t.Context()); err != nil || !lock.Enabled || lock.Default != 720*time.Hour {
		t.Errorf("%+v, %v", lock, err)
	}
	if made, err := store.MakeVault(vault, staging, 0); made || err != nil {
		t.Errorf("a vault that is there: %t, %v", made, err)
	}
	if made, err := store.MakeStaging(staging); made || err != nil {
		t.Errorf("a staging place that is there: %t, %v", made, err)
	}
	if made, err := store.MakeVault("s3://bucket/vault", "s3://staging", 0); made || err != nil {
		t.Errorf("S3: %t, %v", made, err)
	}
	if _, err := store.MakeVault("file://"+disk+"/mnt/vault", staging, 0); err == nil || !strings.Contains(err.Error(), "mount the disk") {
		t.Errorf("without the parent: %v", err)
	}

	s, err := filebucket.Open(staging)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "main/base/20260101T000000/backup.info", nil); err != nil {
		t.Fatal(err)
	}
	if made, err := store.MakeVault("file://"+disk+"/other", staging, 0); made || err == nil || !strings.Contains(err.Error(), "is a disk not mounted?") {
		t.Errorf("beside a staging place that was used: %t, %v", made, err)
	}
	if _, err := os.Stat(disk + "/other"); err == nil {
		t.Error("it was made all the same")
	}
}

func TestWhatNewObjectsGet(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	for want, args := range map[time.Time][]string{
		{}:                           nil,
		now.Add(30 * 24 * time.Hour): {"--retention", "30d"},
		time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC): {"--retain-until", "2027-01-31"},
	} {
		for _, command := range []string{"backup", "wal-archive"} {
			if got := store.RetainUntil(parse(t, command, args...), now); !got.Equal(want) {
				t.Errorf("%s %v: %v, want %v", command, args, got, want)
			}
		}
	}
	got := store.Tags(parse(t, "wal-archive", "--tag", "a,1", "--tag", "b,2", "--history-tag", "c,3"), "tags")
	if !maps.Equal(got, map[string]string{"a": "1", "b": "2"}) {
		t.Error(got)
	}
}
