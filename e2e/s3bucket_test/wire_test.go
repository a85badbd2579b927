package s3bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// The body is not part of the signature, so that the sum is all that stands
// between a flipped bit and a sealed backup.
func TestABitFlippedOnTheWayIsRefusedByTheStore(t *testing.T) {
	s := start(t, localaws.Config{})
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	wire := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
		if r.In.Method == http.MethodPut {
			whole, _ := io.ReadAll(r.In.Body)
			whole[len(whole)/2] ^= 1
			r.Out.Body = io.NopCloser(bytes.NewReader(whole))
		}
	}})
	defer wire.Close()
	for name, n := range map[string]int{"one request": 1000, "parts": part + 1} {
		t.Run(name, func(t *testing.T) {
			clean := s.open(t, s.Host, s.Vault)
			b, err := s3bucket.Open(context.Background(), s3bucket.Options{URL: clean.URL(), Profile: s.Host.Name, Endpoint: wire.URL})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(t.Context(), "k", bytes.NewReader(body(n)), bucket.CreateOptions{PartSize: part}); !errors.Is(err, bucket.ErrInvalid) {
				t.Errorf("%v, want ErrInvalid", err)
			}
			if _, err := clean.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
			s.wantNoUploads(t, clean)
		})
	}
}
