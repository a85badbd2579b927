package azurebucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestAnswersAreSortedIntoKinds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		code    string
		message string
		want    error
		advice  string // part of the error's text
	}{
		{"something is there", 409, "BlobAlreadyExists", "The specified blob already exists.", bucket.ErrExists, "409 BlobAlreadyExists"},
		{"a condition that failed", 412, "ConditionNotMet", "", bucket.ErrExists, "412 ConditionNotMet"},
		{"a target's condition that failed", 412, "TargetConditionNotMet", "", bucket.ErrExists, "412"},
		{"a SAS token that may not overwrite", 403, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.", bucket.ErrExists, "403"},
		{"a locked blob", 409, "BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.", bucket.ErrRetained, "409 BlobImmutableDueToPolicy"},
		{"a held blob", 409, "BlobImmutableDueToLegalHold", "", bucket.ErrRetained, "409 BlobImmutableDueToLegalHold"},
		{"too fast", 503, "ServerBusy", "The server is busy.", bucket.ErrThrottled, "503 ServerBusy"},
		{"too many", 429, "TooManyRequests", "", bucket.ErrThrottled, ""},
		{"a failing store", 500, "InternalError", "", bucket.ErrUnavailable, "500 InternalError"},
		{"a slow store", 500, "OperationTimedOut", "", bucket.ErrUnavailable, ""},
		{"a gateway", 502, "", "", bucket.ErrUnavailable, "502"},
		{"no permission", 403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.", bucket.ErrDenied, "it takes blobs/write"},
		{"a wrong key", 403, "AuthenticationFailed", "Server failed to authenticate the request, string to sign was hush", bucket.ErrDenied, "check the key or the SAS token"},
		{"a network rule", 403, "AuthorizationFailure", "This request is not authorized to perform this operation.", bucket.ErrDenied, "network rules"},
		{"a disabled account", 403, "AccountIsDisabled", "", bucket.ErrDenied, ""},
		{"no such container", 404, "ContainerNotFound", "", bucket.ErrNotFound, "404 ContainerNotFound"},
		{"a wrong checksum", 400, "Md5Mismatch", "The MD5 value specified in the request did not match", bucket.ErrInvalid, "did not match"},
		{"somebody else's blocks", 400, "InvalidBlobOrBlock", "", bucket.ErrInvalid, "within a week"},
		{"an archived blob", 409, "BlobArchived", "This operation is not permitted on an archived blob.", bucket.ErrInvalid, "archived blob"},
		{"a request that the server does not know", 501, "APINotImplemented", "", bucket.ErrInvalid, "501"},
		{"a text of several lines", 400, "InvalidInput", "one\r\n\ttwo", bucket.ErrInvalid, "InvalidInput: one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { refuse(w, tc.status, tc.code, tc.message) })
			_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
			var e *bucket.Error
			if !errors.As(err, &e) || e.Kind != tc.want || e.Key != b.URL()+"/k" || e.Op != "create" {
				t.Fatalf("%#v, want %v", err, tc.want)
			}
			if !strings.Contains(err.Error(), tc.advice) || strings.ContainsAny(err.Error(), "\n\r") || strings.Contains(err.Error(), "hush") {
				t.Errorf("%v, want one line with %q", err, tc.advice)
			}
		})
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { panic(http.ErrAbortHandler) })
	_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
	if !errors.Is(err, bucket.ErrUnavailable) || !bucket.Retryable(err) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if len(f.requests()) != attempts {
		t.Errorf("%d tries, want %d", len(f.requests()), attempts)
	}
}

func TestASilentStoreIsUnavailable(t *testing.T) {
	over := make(chan struct{})
	b, _ := connectTo(t, func(_ int, _ request, _ http.ResponseWriter) { <-over }, func(o *Options) { o.ReadTimeout = 50 * time.Millisecond })
	_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
	close(over)
	if !errors.Is(err, bucket.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

// The token stands in every URL, and so in the texts of the SDK and of net/http.
func TestNoErrorShowsTheToken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a refusal": func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 403, "AuthenticationFailed", "sig=hush is wrong")
		},
		"no answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		},
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("<short"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			server := httptest.NewTLSServer(answer)
			defer server.Close()
			reroute(t, server)
			t.Setenv(envSAS, "sv=2026&sig=hush")
			b, err := Open(t.Context(), Options{URL: azureURL, retryDelay: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			calls := map[string]func() error{
				"Create": func() error {
					_, err := b.Create(t.Context(), "k", strings.NewReader("x"), bucket.CreateOptions{})
					return err
				},
				"Stat":        func() error { _, err := b.Stat(t.Context(), "k", ""); return err },
				"CheckCreate": func() error { return b.CheckCreate(t.Context(), "k") },
				"List": func() error {
					for _, err := range b.List(t.Context(), "") {
						return err
					}
					return nil
				},
			}
			if name == "half an answer" {
				calls = map[string]func() error{"List": calls["List"]}
			}
			for call, try := range calls {
				err := try()
				if err == nil {
					t.Errorf("%s: no error", call)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					if text := fmt.Sprintf("%v %+v", e, e); strings.Contains(text, "hush") {
						t.Errorf("%s: %s", call, text)
					}
				}
			}
		})
	}
}
