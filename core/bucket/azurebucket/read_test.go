package azurebucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

const version1 = "2026-01-01T00:00:01.0000000Z"

func TestAVersionIsThatVersionOrNotFound(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   error
	}{
		{"it is there", func(w http.ResponseWriter) { w.Header().Set("x-ms-version-id", version1) }, nil},
		{"the store ignores that a version was asked for", func(http.ResponseWriter) {}, bucket.ErrNotFound},
		{"the store answers for another one", func(w http.ResponseWriter) { w.Header().Set("x-ms-version-id", "2") }, bucket.ErrNotFound},
		{"it is gone", func(w http.ResponseWriter) { refuse(w, 404, "BlobNotFound", "") }, bucket.ErrNotFound},
		{"it cannot be one", func(w http.ResponseWriter) { refuse(w, 400, "InvalidQueryParameterValue", "") }, bucket.ErrNotFound},
		{"it may not be read", func(w http.ResponseWriter) { refuse(w, 403, "AuthorizationPermissionMismatch", "") }, bucket.ErrDenied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
				if !r.is("container") {
					tc.answer(w)
				}
			})
			_, err := b.Stat(t.Context(), "k", version1)
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("Stat = %v, want %v", err, tc.want)
			}
			r, _, err := b.Open(t.Context(), "k", version1, 0, -1)
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("Open = %v, want %v", err, tc.want)
			}
			if err == nil {
				_ = r.Close()
			}
			if got := f.requests()[0].Query.Get("versionid"); got != version1 {
				t.Errorf("asked for version %q", got)
			}
		})
	}
}

func TestABlobUnderItsWritersKeyIsInvalid(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"refused": func(w http.ResponseWriter) {
			refuse(w, 409, "BlobUsesCustomerSpecifiedEncryption", "The blob is encrypted with customer specified encryption.")
		},
		"described": func(w http.ResponseWriter) { w.Header().Set("x-ms-encryption-key-sha256", "x") },
	} {
		b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { answer(w) })
		if _, err := b.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
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

func TestAStoreThatIgnoresARangeIsFoundOut(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) { _, _ = fmt.Fprint(w, "everything") })
	if _, _, err := b.Open(context.Background(), "k", "", 5, 3); !errors.Is(err, bucket.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}
