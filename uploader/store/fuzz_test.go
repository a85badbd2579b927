package store_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
)

// FuzzURL: whatever stands where a URL is expected is refused in one line, or opens a place whose own URL opens the same.
func FuzzURL(f *testing.F) {
	f.Setenv("AWS_CONFIG_FILE", os.DevNull)
	f.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	f.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	f.Setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:1") // no credentials are looked for
	f.Setenv("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/account;")
	for _, url := range []string{
		"s3://bucket/a/", "gs://bucket//a", "https://console.cloud.google.com/storage/browser/bucket/path", "file:///srv/vault/",
		"https://account.blob.core.windows.net/container/a", "http://127.0.0.1:1/account/container/a", "bucket/path", "file://host/a", "S3://b", "",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		cmd, _, rest, err := option.Find([]string{"pgseal", "status", "url", "server"})
		if err != nil {
			t.Fatal(err)
		}
		v, err := cmd.Parse(rest, func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		b, err := store.Open(t.Context(), url, v)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q: refused with %q", url, err)
			}
			return
		}
		again, err := store.Open(t.Context(), b.URL(), v)
		if err != nil || again.URL() != b.URL() {
			t.Errorf("%q opens %q, which opens %v, %v", url, b.URL(), again, err)
		}
	})
}
