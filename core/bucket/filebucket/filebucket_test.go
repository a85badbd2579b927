package filebucket_test

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func TestSuite(t *testing.T) {
	for name, tc := range map[string]struct {
		lock filebucket.Lock
		keys int
	}{
		"a vault":                  {},
		"a vault that locks a day": {lock: filebucket.Lock{Default: 24 * time.Hour}, keys: 50},
	} {
		t.Run(name, func(t *testing.T) {
			buckettest.Run(t, buckettest.Config{
				Open:        func(t *testing.T) bucket.Bucket { b, _ := newVault(t, tc.lock); return b },
				OpenStaging: func(t *testing.T) bucket.Bucket { return newStaging(t) },
				Missing: func(t *testing.T) bucket.Bucket {
					return open(t, filepath.Join(t.TempDir(), "not mounted"))
				},
				Denied:   denied,
				Remover:  func(_ *testing.T, b bucket.Bucket) bucket.Remover { return filebucket.Remover(b.(*filebucket.Bucket)) },
				Keeps:    buckettest.KeepsName,
				ManyKeys: tc.keys,
				Overwrite: func(ctx context.Context, b bucket.Bucket, key string, body []byte) error {
					_, err := b.Put(ctx, key, body)
					return err
				},
				OpenUploads: func(_ context.Context, b bucket.Bucket) (int, error) {
					left, err := filepath.Glob(filepath.Join(dirOf(t, b), ".pgseal/tmp/*"))
					return len(left), err
				},
				Cannot: map[string]string{
					"Everything": "a directory knows no rights of single names, so that nothing is tried",
					"Delete":     "the owner of a directory can always delete from it",
					"LoseAnswer": "a system call's answer does not get lost",
				},
			})
		})
	}
}

// newVault makes a locked directory and returns its path too.
func newVault(t *testing.T, l filebucket.Lock, opts ...filebucket.Option) (*filebucket.Bucket, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	if err := filebucket.Init("file://"+dir, l); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, opts...), dir
}

func newStaging(t *testing.T) *filebucket.Bucket {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "staging")
	if err := filebucket.InitStaging("file://" + dir); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func dirOf(t *testing.T, b bucket.Bucket) string {
	t.Helper()
	u, err := url.Parse(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

func open(t *testing.T, dir string, opts ...filebucket.Option) *filebucket.Bucket {
	t.Helper()
	b, err := filebucket.Open((&url.URL{Scheme: "file", Path: dir}).String(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
