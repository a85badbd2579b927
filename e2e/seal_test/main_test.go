// Package seal_test tells the finalizer's stories: sets that a host uploads into a local AWS, the event of their marker,
// and the built function that seals them, or says why not.
package seal_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// TestMain gives every local AWS's identities a place in one file of profiles, which is how one process can be several
// people.
func TestMain(m *testing.M) {
	localaws.Hijack()
	flag.Parse()
	dir, err := os.MkdirTemp("", "pgseal-seal-")
	if err != nil {
		panic(err)
	}
	profiles.path = filepath.Join(dir, "credentials")
	for name, value := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": profiles.path, "AWS_CONFIG_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	// Many stories wait for a function that waits for its store to recover: more of them than processors fit in.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

var profiles struct {
	sync.Mutex
	path string
}

// open opens a place as somebody.
func open(t testing.TB, who localaws.Identity, endpoint, url string) bucket.Bucket {
	t.Helper()
	profiles.Lock()
	defer profiles.Unlock()
	f, err := os.OpenFile(profiles.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "[%s]\naws_access_key_id = %[1]s\naws_secret_access_key = %s\n", who.Credentials.AccessKey, who.Credentials.SecretKey)
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	b, err := s3bucket.Open(t.Context(), s3bucket.Options{URL: url, Endpoint: endpoint, Region: localaws.Region, Profile: who.Credentials.AccessKey})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
