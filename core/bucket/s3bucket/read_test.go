package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestWhatStatSaysOfRetention(t *testing.T) {
	const locked = `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`
	denied := func(w http.ResponseWriter) { refuse(w, 403, "AccessDenied", "Access Denied") }
	config := func(w http.ResponseWriter) { _, _ = w.Write([]byte(locked)) }
	for _, tc := range []struct {
		name              string
		head              map[string]string
		config, retention func(w http.ResponseWriter)
		seen, until       bool
		failed            error
		requests          int
	}{
		{name: "a lock in the headers", head: map[string]string{"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2031-01-01T00:00:00Z"}, seen: true, until: true, requests: 1},
		{name: "a legal hold is seen, and is no retention", head: map[string]string{"x-amz-object-lock-legal-hold": "ON"}, seen: true, requests: 1},
		{name: "no header because there is none", config: config, retention: func(w http.ResponseWriter) { refuse(w, 404, noRetention, "") }, seen: true, requests: 3},
		{name: "no header because it may not be seen", config: config, retention: denied, requests: 3},
		{name: "neither lock nor configuration may be seen", config: denied, retention: denied, requests: 3},
		{name: "the bucket has no lock", config: func(w http.ResponseWriter) { refuse(w, 404, noLockConfig, "") }, seen: true, requests: 2},
		{name: "the server has no locks", config: func(w http.ResponseWriter) { refuse(w, 501, "NotImplemented", "") }, seen: true, requests: 2},
		{name: "the bucket has no lock, told by the object", config: denied, retention: func(w http.ResponseWriter) {
			refuse(w, 400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
		}, seen: true, requests: 3},
		{name: "the store fails", config: config, retention: func(w http.ResponseWriter) { refuse(w, 500, "InternalError", "") }, failed: bucket.ErrUnavailable, requests: 2 + attempts},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
				switch {
				case r.Method == "HEAD":
					for k, v := range tc.head {
						w.Header().Set(k, v)
					}
				case strings.HasPrefix(r.Query, "object-lock"):
					tc.config(w)
				default:
					tc.retention(w)
				}
			})
			obj, err := b.Stat(context.Background(), "k", "")
			if !errors.Is(err, tc.failed) || obj.RetentionSeen != tc.seen || obj.RetainUntil.IsZero() == tc.until {
				t.Errorf("%+v, %v", obj, err)
			}
			if len(f.requests()) != tc.requests {
				t.Errorf("%d requests, want %d", len(f.requests()), tc.requests)
			}
		})
	}
}

func TestA400ToHeadIsAskedForItsCause(t *testing.T) {
	for code, want := range map[string]error{"ExpiredToken": bucket.ErrDenied, "InvalidArgument": bucket.ErrNotFound} {
		b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
			if r.Method == "HEAD" {
				w.WriteHeader(400)
				return
			}
			refuse(w, 400, code, "Invalid version id specified")
		})
		if _, err := b.Stat(context.Background(), "k", "no version"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
	}
}

func TestACompositeSumIsNoSum(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		w.Header().Set("x-amz-checksum-crc32c", "4waSgw==-2")
		w.Header().Set("x-amz-checksum-type", "COMPOSITE")
		w.Header().Set("x-amz-object-lock-legal-hold", "ON")
	})
	if obj, err := b.Stat(context.Background(), "k", ""); err != nil || obj.CRC32C != "" {
		t.Errorf("%+v, %v", obj, err)
	}
}

func TestADownloadThatBreaksOffIsUnavailable(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
	})
	r, _, err := b.Open(context.Background(), "k", "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, bucket.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func TestADownloadWithAnotherSumIsRefused(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		w.Header().Set("x-amz-checksum-crc32c", "4waSgw==")
		_, _ = w.Write([]byte("1234567890"))
	})
	r, _, err := b.Open(context.Background(), "k", "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); err == nil {
		t.Error("bytes were taken that do not have the object's sum")
	}
}

func TestAStoreThatIgnoresARangeIsFoundOut(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) { _, _ = fmt.Fprint(w, "everything") })
	if _, _, err := b.Open(context.Background(), "k", "", 5, 3); !errors.Is(err, bucket.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

func TestTheNullVersionHasOneName(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		w.Header().Set("x-amz-version-id", "null")
		w.Header().Set("x-amz-object-lock-mode", "COMPLIANCE") // so that no more is asked
		if r.Method == "GET" && strings.Contains(r.Query, "versions") {
			_, _ = w.Write([]byte(`<ListVersionsResult><Version><Key>pre/k</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><Size>1</Size></Version></ListVersionsResult>`))
		} else if r.Method == "GET" {
			_, _ = w.Write([]byte("x"))
		}
	})
	names := map[string]string{}
	created, err := b.Create(t.Context(), "k", strings.NewReader("x"), bucket.CreateOptions{})
	names["Create"] = created.Version
	seen, statErr := b.Stat(t.Context(), "k", "")
	names["Stat"] = seen.Version
	body, read, openErr := b.Open(t.Context(), "k", "", 0, -1)
	names["Open"] = read.Version
	if err := errors.Join(err, statErr, openErr); err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	for o, err := range b.ListVersions(t.Context(), "k") {
		if err != nil {
			t.Fatal(err)
		}
		names["ListVersions"] = o.Version
	}
	for call, name := range names {
		if name != "" || len(names) != 4 {
			t.Errorf("%s calls it %q", call, name)
		}
	}
	if old, err := b.Stat(t.Context(), "k", "null"); err != nil || old.Version != "null" {
		t.Errorf("asked for by name it is %q, %v", old.Version, err)
	}
}
