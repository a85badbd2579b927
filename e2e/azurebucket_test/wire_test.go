package azurebucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localazure"
)

// The body is not part of the signature, so that the sum is all that stands between a flipped bit and a sealed backup.
func TestABitFlippedOnTheWayIsRefusedByTheStore(t *testing.T) {
	s := start(t, localazure.Config{})
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	wire := httptest.NewServer(&httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if comp := r.In.URL.Query().Get("comp"); r.In.Method == http.MethodPut && comp != "blocklist" {
			whole, _ := io.ReadAll(r.In.Body)
			whole[len(whole)/2] ^= 1
			r.Out.Body = io.NopCloser(bytes.NewReader(whole))
		}
	}})
	defer wire.Close()
	for name, n := range map[string]int{"one request": 1000, "blocks": part + 1} {
		t.Run(name, func(t *testing.T) {
			clean := s.open(t, cloud.Host, s.Vault)
			b, err := azurebucket.Open(context.Background(), azurebucket.Options{
				URL:              strings.Replace(clean.URL(), target.Host, wire.Listener.Addr().String(), 1),
				ConnectionString: strings.Replace(s.Host.ConnectionString(), target.Host, wire.Listener.Addr().String(), 1),
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Create(t.Context(), "k", bytes.NewReader(body(n)), bucket.CreateOptions{PartSize: part}); !errors.Is(err, bucket.ErrInvalid) || !strings.Contains(err.Error(), "ismatch") {
				t.Errorf("%v, want ErrInvalid and the sum that differs", err)
			}
			if _, err := clean.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
		})
	}
}

func TestWhoMaySeeWhat(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: 24 * time.Hour, Prefix: "see/it"})
	host := s.open(t, cloud.Host, s.Vault+"/see/it")
	made, err := host.Create(t.Context(), "srv/base/1/data.tar", strings.NewReader("x"), bucket.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	finalizer := s.open(t, cloud.Finalizer, s.Vault+"/see/it")
	seen, err := finalizer.Stat(t.Context(), "srv/base/1/data.tar", made.Version)
	if err != nil || !seen.RetentionSeen || !seen.RetainUntil.Equal(seen.Created.Add(24*time.Hour)) {
		t.Errorf("the finalizer: %+v, %v", seen, err)
	}
	if _, err := finalizer.Create(t.Context(), "srv/base/1/more.tar", strings.NewReader("y"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("the finalizer creates an archive: %v, want ErrDenied", err)
	}
	seal, err := bucket.CreateOrMatch(t.Context(), finalizer, "srv/base/1/backup.info", []byte("sealed"), bucket.CreateOptions{RetainUntil: time.Now().Add(2 * time.Hour)})
	if err != nil || seal.ETag == "" {
		t.Errorf("the finalizer seals: %+v, %v", seal, err)
	}
	if _, err := host.Create(t.Context(), "srv/base/2/backup.info", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "blobs/write") {
		t.Errorf("the host seals: %v, want ErrDenied and the permission's name", err)
	}
	if err := host.CheckCreate(t.Context(), "srv/base/2/data.tar"); err != nil {
		t.Errorf("the host asks for an archive: %v", err)
	}
	if err := host.CheckCreate(t.Context(), "srv/base/2/backup.info"); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("the host asks for the seal: %v, want ErrDenied", err)
	}
	if _, err := host.Put(t.Context(), "srv/base/1/data.tar", []byte("z")); !errors.Is(err, bucket.ErrRetained) {
		t.Errorf("the host overwrites: %v, want ErrRetained", err)
	}
	restore, err := s.Deny(cloud.Finalizer, cloud.ToSeeRetention, s.Vault, "*")
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range finalizer.ListVersions(t.Context(), "") {
		if err != nil || o.RetentionSeen || o.CRC32C == "" && !strings.HasSuffix(o.Key, "backup.info") {
			t.Errorf("without the right to see locks: %+v, %v", o, err)
		}
	}
	restore()
	if deletes := s.Requests(cloud.Ops(cloud.Delete)); len(deletes) > 0 {
		t.Errorf("something was deleted: %+v", deletes)
	}
}

// A policy whose period nobody stated, or that is gone, is never taken for one that holds.
func TestRetentionIsWhatTheStoreAndTheOperatorSay(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: 24 * time.Hour})
	stated := s.open(t, cloud.Host, s.Vault+"/x")
	if _, err := stated.Create(t.Context(), "k", strings.NewReader("x"), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	silent, err := azurebucket.Open(t.Context(), azurebucket.Options{URL: stated.URL(), ConnectionString: s.Host.ConnectionString()})
	if err != nil {
		t.Fatal(err)
	}
	look := func(b bucket.Bucket) (o bucket.Object) {
		t.Helper()
		for o, err = range b.List(t.Context(), "k") {
			if err != nil {
				t.Fatal(err)
			}
		}
		if st, err := b.Stat(t.Context(), "k", ""); err != nil || !st.RetainUntil.Equal(o.RetainUntil) || st.RetentionSeen != o.RetentionSeen {
			t.Errorf("Stat = %+v, %v, and the listing has %+v", st, err, o)
		}
		return o
	}
	if o := look(stated); !o.RetentionSeen || !o.RetainUntil.Equal(o.Created.Add(24*time.Hour)) {
		t.Errorf("stated: %+v", o)
	}
	if o := look(silent); o.RetentionSeen || !o.RetainUntil.IsZero() {
		t.Errorf("nobody stated it: %+v", o)
	}
	if _, err := silent.Create(t.Context(), "k2", strings.NewReader("x"), bucket.CreateOptions{RetainUntil: time.Now().Add(time.Hour)}); !errors.Is(err, bucket.ErrInvalid) || !strings.Contains(err.Error(), azurebucket.EnvRetention) {
		t.Errorf("nobody stated it: Create = %v, want ErrInvalid and what to set", err)
	}
	s.SetLegalHold(s.Vault, true)
	s.SetPolicy(s.Vault, 0)
	if o := look(stated); !o.RetentionSeen || !o.RetainUntil.IsZero() {
		t.Errorf("a hold only: %+v, want seen and none", o)
	}
	if l, err := stated.Lock(t.Context()); err != nil || !l.Enabled || l.Default != 0 || l.Mode != "legal hold" {
		t.Errorf("Lock = %+v, %v", l, err)
	}
	if _, err := stated.Put(t.Context(), "k", []byte("y")); !errors.Is(err, bucket.ErrRetained) || !strings.Contains(err.Error(), "LegalHold") {
		t.Errorf("Put under a hold = %v, want ErrRetained", err)
	}
	s.SetLegalHold(s.Vault, false)
	if o := look(stated); !o.RetentionSeen || !o.RetainUntil.IsZero() {
		t.Errorf("the policy is gone, though its period is stated: %+v, want seen and none", o)
	}
}
