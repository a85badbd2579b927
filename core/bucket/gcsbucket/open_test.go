package gcsbucket

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var urls = []struct{ name, url, want, problem string }{
	{name: "a bucket", url: "gs://my-bucket", want: "gs://my-bucket"},
	{name: "a bucket with a slash", url: "gs://my-bucket/", want: "gs://my-bucket"},
	{name: "a prefix", url: "gs://my.bucket/barman/x", want: "gs://my.bucket/barman/x"},
	{name: "an underscore", url: "gs://my_bucket/x", want: "gs://my_bucket/x"},
	{name: "a prefix with the slash that barman's users write", url: "gs://my-bucket/barman/", want: "gs://my-bucket/barman"},
	{name: "slashes all around the prefix", url: "gs://my-bucket//barman//", want: "gs://my-bucket/barman"},
	{name: "a prefix with a space", url: "gs://my-bucket/a b", want: "gs://my-bucket/a b"},
	{name: "what the console shows", url: "https://console.cloud.google.com/storage/browser/my-bucket/barman/", want: "gs://my-bucket/barman"},
	{name: "another scheme", url: "s3://bucket/x", problem: "no URL of Google Cloud Storage"},
	{name: "another page of the console", url: "https://console.cloud.google.com/compute/x", problem: "no URL of Google Cloud Storage"},
	{name: "no scheme", url: "bucket/x", problem: "no URL of Google Cloud Storage"},
	{name: "nothing", url: "", problem: "no URL of Google Cloud Storage"},
	{name: "no bucket", url: "gs:///x", problem: "no name of a bucket"},
	{name: "capital letters", url: "gs://Bucket/x", problem: "no name of a bucket"},
	{name: "a bucket of two letters", url: "gs://ab", problem: "no name of a bucket"},
	{name: "a bucket of 64 letters", url: "gs://" + strings.Repeat("a", 64), problem: "no name of a bucket"},
	{name: "an address", url: "gs://192.168.1.1/x", problem: "no name of a bucket"},
	{name: "dots in a row", url: "gs://a..b/x", problem: "no name of a bucket"},
	{name: "a prefix that climbs", url: "gs://bucket/a/../b", problem: "prefix"},
	{name: "an empty part in the prefix", url: "gs://bucket/a//b", problem: "prefix"},
	{name: "a line break in the prefix", url: "gs://bucket/a\nb", problem: "prefix"},
	{name: "a prefix that is no text", url: "gs://bucket/a\xffb", problem: "UTF-8"},
}

func TestURLsAreTakenAsUsersWriteThem(t *testing.T) {
	for _, tc := range urls {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			b, err := Open(context.Background(), Options{URL: tc.url})
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) || strings.Contains(err.Error(), "\n") {
					t.Errorf("Open = %v, want one line with %q", err, tc.problem)
				}
			} else if err != nil || b.URL() != tc.want {
				t.Errorf("Open = %v, %v, want %s", b, err, tc.want)
			}
		})
	}
}

func FuzzURL(f *testing.F) {
	for _, tc := range urls {
		f.Add(tc.url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		name, prefix, err := parseURL(url)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q", err.Error())
			}
			return
		}
		again := "gs://" + name + "/" + prefix
		if n, p, err := parseURL(again); err != nil || n != name || p != prefix {
			t.Errorf("%q became %q, which is %q, %q, %v", url, again, n, p, err)
		}
		if strings.Contains("/"+prefix, "/../") || strings.Contains(prefix, "//") || strings.HasPrefix(prefix, "/") || prefix != "" && !strings.HasSuffix(prefix, "/") {
			t.Errorf("%q has the prefix %q", url, prefix)
		}
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"an unknown lock mode":         {LockMode: "COMPLIANCE"},
		"a key of another cloud":       {KMSKeyName: "arn:aws:kms:eu-central-1:1:key/x"},
		"a version of a key":           {KMSKeyName: "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"},
		"an endpoint without a scheme": {Endpoint: "storage.googleapis.com"},
		"an endpoint with a path":      {Endpoint: "https://storage.googleapis.com/bucket"},
		"an endpoint with a password":  {Endpoint: "https://me:secret@host"},
	} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			o.URL = "gs://bucket"
			if _, err := Open(context.Background(), o); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open = %v, want an error of one line", err)
			}
		})
	}
}

func TestTheEndpointComesFromTheEnvironment(t *testing.T) {
	for _, tc := range []struct {
		name, given, emulator, override, want string
		authenticated                         bool
	}{
		{"nothing set is Google", "", "", "", "https://storage.googleapis.com", true},
		{"an emulator", "", "127.0.0.1:4443", "", "http://127.0.0.1:4443", false},
		{"an emulator with a scheme", "", "https://emulator/", "", "https://emulator", false},
		{"gcloud's override", "", "", "https://storage-x.p.googleapis.com/storage/v1/", "https://storage-x.p.googleapis.com", true},
		{"an emulator goes before the override", "", "127.0.0.1:4443", "https://storage-x.p.googleapis.com", "http://127.0.0.1:4443", false},
		{"what is given goes before all", "http://127.0.0.1:1", "127.0.0.1:4443", "", "http://127.0.0.1:1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			t.Setenv(emulatorHost, tc.emulator)
			t.Setenv(endpointOverride, tc.override)
			root, authenticated, err := endpoint(tc.given)
			if root != tc.want || authenticated != tc.authenticated || err != nil {
				t.Errorf("%s, %t, %v", root, authenticated, err)
			}
		})
	}
}

func TestMissingCredentialsAreSaidPlainly(t *testing.T) {
	for name, file := range map[string]string{
		"a file that is not there": filepath.Join(t.TempDir(), "nothing.json"),
		"a file that is no key":    write(t, `{"type":"service_account"}`),
	} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
			b, err := Open(context.Background(), Options{URL: "gs://bucket", Endpoint: "http://127.0.0.1:1"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Stat(context.Background(), "k", "")
			if !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "set GOOGLE_APPLICATION_CREDENTIALS") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want ErrDenied and what to set", err)
			}
		})
	}
}

func TestATokenThatIsRefusedIsDenied(t *testing.T) {
	for _, tc := range []struct {
		status int
		want   error
	}{{http.StatusBadRequest, bucket.ErrDenied}, {http.StatusServiceUnavailable, bucket.ErrUnavailable}} {
		tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`))
		}))
		defer tokens.Close()
		noConfig(t)
		b, err := Open(context.Background(), Options{URL: "gs://bucket", Endpoint: "http://127.0.0.1:1", KeyFile: serviceAccount(t, tokens.URL)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Stat(context.Background(), "k", "")
		if !errors.Is(err, tc.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%v, want %v", err, tc.want)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
