// Package gcsbucket_test holds the driver of Google Cloud Storage to the suite of all drivers, on a local Google Cloud
// that is as strict as the real one where pgseal leans on it.
package gcsbucket_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

// store is a local Google Cloud with places of their own for tests.
type store struct {
	*localgcp.GCP
	places atomic.Int32
}

func start(t testing.TB, c localgcp.Config) *store {
	t.Helper()
	return &store{GCP: localgcp.Start(t, c)}
}

// open opens a place as somebody; a prefix of its own when the name has none.
func (s *store) open(t testing.TB, who, name string) bucket.Bucket {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = fmt.Sprintf("%s/place%d/", name, s.places.Add(1))
	}
	b, err := s.Open(context.Background(), who, "gs://"+name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// place is the bucket's name and a key as the store knows it.
func place(b bucket.Bucket, key string) (name, full string) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(b.URL(), "gs://"), "/")
	return name, prefix + "/" + key
}

// suiteRights adds what the suite does and the host may not: lock what is there already, and ask for locks where there
// are none.
func suiteRights() []localgcp.Binding {
	host := []string{cloud.Host}
	return []localgcp.Binding{
		{Name: "suite", Members: host, Permissions: []string{"storage.objects.update", "storage.objects.setRetention"}, Bucket: "*"},
		{Name: "suite creates", Members: host, Permissions: []string{"storage.objects.create", "storage.objects.get"}, Bucket: "*"},
		{Name: "suite stages", Members: host, Permissions: []string{"storage.objects.delete"}, Bucket: "staging"},
	}
}

// wantNoUploads looks for sessions below b's place that nobody has ended.
func (s *store) wantNoUploads(t *testing.T, b bucket.Bucket) {
	t.Helper()
	if n, err := s.uploads(t.Context(), b); err != nil || n != 0 {
		t.Errorf("%d unfinished uploads, %v", n, err)
	}
}

func (s *store) uploads(ctx context.Context, b bucket.Bucket) (n int, err error) {
	_, prefix := place(b, "")
	keys, err := s.OpenUploads(ctx)
	for _, k := range keys {
		if strings.HasPrefix(k, prefix) {
			n++
		}
	}
	return n, err
}
