package gcsbucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func TestABitFlippedOnTheWayIsRefusedByTheStore(t *testing.T) {
	s := start(t, localgcp.Config{})
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var wire *httptest.Server
	wire = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if !strings.HasPrefix(r.In.URL.Path, "/upload/") || r.In.URL.Query().Get("uploadType") == "resumable" && !r.In.URL.Query().Has("upload_id") {
				return
			}
			whole, _ := io.ReadAll(r.In.Body)
			if at := bytes.Index(whole, marker); at >= 0 {
				whole[at] ^= 1
			}
			r.Out.Body = io.NopCloser(bytes.NewReader(whole))
		},
		ModifyResponse: func(res *http.Response) error { // sessions go through here, too
			if at := res.Header.Get("Location"); at != "" {
				res.Header.Set("Location", strings.Replace(at, s.Endpoint, wire.URL, 1))
			}
			return nil
		},
	})
	defer wire.Close()
	for name, n := range map[string]int{"one request": 1000, "chunks": 2*part + 1} {
		t.Run(name, func(t *testing.T) {
			clean := s.open(t, cloud.Host, s.Vault)
			b, err := gcsbucket.Open(context.Background(), gcsbucket.Options{URL: clean.URL(), Endpoint: wire.URL, KeyFile: s.KeyFile(cloud.Host)})
			if err != nil {
				t.Fatal(err)
			}
			text := body(n)
			copy(text[n/2:], marker)
			if _, err := b.Create(t.Context(), "k", bytes.NewReader(text), bucket.CreateOptions{PartSize: part}); !errors.Is(err, bucket.ErrInvalid) || !strings.Contains(err.Error(), "CRC32C") {
				t.Errorf("%v, want ErrInvalid", err)
			}
			if _, err := clean.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
			s.wantNoUploads(t, clean)
		})
	}
}

// marker is where the bit is flipped.
var marker = []byte("here is the content")

func TestTheEnvironmentOfAnIdentityIsEnough(t *testing.T) {
	s := start(t, localgcp.Config{})
	for _, who := range []string{cloud.Finalizer, cloud.Restore} {
		for _, variable := range append(s.Env(who), "STORAGE_EMULATOR_HOST=") {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
		}
		b, err := gcsbucket.Open(context.Background(), gcsbucket.Options{URL: s.VaultURL()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lock(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(s.Requests(cloud.By(who))); n != 1 {
			t.Errorf("%d requests came from %s, want one", n, who)
		}
	}
	t.Setenv("STORAGE_EMULATOR_HOST", s.Endpoint) // which is shown no credentials
	b, err := gcsbucket.Open(context.Background(), gcsbucket.Options{URL: s.VaultURL()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lock(t.Context()); !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "401") {
		t.Errorf("%v, want 401", err)
	}
}
