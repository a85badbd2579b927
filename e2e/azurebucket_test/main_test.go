// Package azurebucket_test holds the Azure driver to the suite of all drivers, on a local Azure that is as strict as the
// real one where pgseal leans on it.
package azurebucket_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/localazure"
)

// store is a local Azure and a counter of places in it.
type store struct {
	*localazure.Azure
	places atomic.Int32
}

func start(t testing.TB, c localazure.Config) *store {
	t.Helper()
	return &store{Azure: localazure.Start(t, c)}
}

// open opens a place as somebody; a path of its own when the name has none.
func (s *store) open(t testing.TB, who, name string) bucket.Bucket {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = fmt.Sprintf("%s/place%d/", name, s.places.Add(1))
	}
	b, err := s.Open(context.Background(), who, s.Endpoint+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// place is the container's name and a key as the store knows it.
func (s *store) place(b bucket.Bucket, key string) (name, full string) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(b.URL(), s.Endpoint+"/"), "/")
	return name, prefix + "/" + key
}
