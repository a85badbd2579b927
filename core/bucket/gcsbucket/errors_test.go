package gcsbucket

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestAnswersAreSortedIntoKinds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		reason  string
		message string
		want    error
		advice  string // part of the error's text
	}{
		{"a condition that failed", 412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.", bucket.ErrExists, "412 conditionNotMet"},
		{"an object under the bucket's retention", 403, "retentionPolicyNotMet", "Object 'vault/pre/k' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until 2026-09-23T23:03:14.307887-07:00", bucket.ErrRetained, "403 retentionPolicyNotMet"},
		{"the same as it was told in 2021", 403, "forbidden", "Object 'vault/pre/k' is subject to bucket's retention policy and cannot be deleted, overwritten or archived until 2021-11-06T10:55:29.166Z", bucket.ErrRetained, "403 forbidden"},
		{"an object under a hold", 403, "objectUnderActiveHold", "Object 'vault/pre/k' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed.", bucket.ErrRetained, ""},
		{"no permission", 403, "forbidden", "host@p.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object.", bucket.ErrDenied, "storage.objects.create"},
		{"no permission to replace what is there", 403, "forbidden", "host@p.iam.gserviceaccount.com does not have storage.objects.delete access to the Google Cloud Storage object.", bucket.ErrExists, "403"},
		{"no login", 401, "authError", "Invalid Credentials", bucket.ErrDenied, "check the credentials"},
		{"too fast", 429, "rateLimitExceeded", "The object exceeded the rate limit", bucket.ErrThrottled, "429"},
		{"too fast, as some services say it", 403, "rateLimitExceeded", "", bucket.ErrThrottled, ""},
		{"a failing store", 500, "internalError", "We encountered an internal error. Please try again.", bucket.ErrUnavailable, "500"},
		{"a store that is away", 503, "backendError", "", bucket.ErrUnavailable, ""},
		{"a gateway that is away", 502, "", "", bucket.ErrUnavailable, "502"},
		{"a request that took too long", 408, "", "", bucket.ErrUnavailable, ""},
		{"two edits at once", 409, "conflict", "", bucket.ErrUnavailable, ""},
		{"no such bucket", 404, "notFound", "The specified bucket does not exist.", bucket.ErrNotFound, "404 notFound"},
		{"a wrong checksum", 400, "invalid", "Provided CRC32C \"AAAAAA==\" doesn't match calculated CRC32C \"4waSgw==\".", bucket.ErrInvalid, "doesn't match"},
		{"no object retention in the bucket", 400, "invalid", "Object retention is not enabled on this bucket.", bucket.ErrInvalid, "Object retention"},
		{"a bucket that makes readers pay", 400, "userProjectMissing", "Bucket is a requester pays bucket but no user project provided.", bucket.ErrInvalid, "does not support"},
		{"a request that the server does not know", 501, "notImplemented", "", bucket.ErrInvalid, "501"},
		{"a text of several lines", 400, "invalid", "one\ntwo\r\n\tthree", bucket.ErrInvalid, "one two three"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { refuse(w, tc.status, tc.reason, tc.message) })
			_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
			var e *bucket.Error
			if !errors.As(err, &e) || e.Kind != tc.want || e.Key != "gs://vault/pre/k" || e.Op != "create" {
				t.Fatalf("%#v, want %v", err, tc.want)
			}
			if !strings.Contains(err.Error(), tc.advice) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %q", err, tc.advice)
			}
			tries := 1
			if bucket.Retryable(err) {
				tries = attempts
			}
			if len(f.requests()) != tries {
				t.Errorf("%d tries, want %d", len(f.requests()), tries)
			}
		})
	}
}

func TestAFrontEndsPageIsAnAnswerToo(t *testing.T) {
	b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(403)
		_, _ = w.Write([]byte("<html>\n<title>Error 403 (Forbidden)!!1</title>"))
	})
	_, err := b.Stat(context.Background(), "k", "")
	if !errors.Is(err, bucket.ErrDenied) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want ErrDenied", err)
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	for name, call := range map[string]func(*Bucket) error{
		"create": func(b *Bucket) error {
			_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
			return err
		},
		"stat":  func(b *Bucket) error { _, err := b.Stat(context.Background(), "k", ""); return err },
		"check": func(b *Bucket) error { return b.CheckCreate(context.Background(), "k") },
		"lock":  func(b *Bucket) error { _, err := b.Lock(context.Background()); return err },
		"list": func(b *Bucket) error {
			for _, err := range b.List(context.Background(), "") {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, _ request, _ http.ResponseWriter) { panic(http.ErrAbortHandler) })
			err := call(b)
			if !errors.Is(err, bucket.ErrUnavailable) || !bucket.Retryable(err) {
				t.Errorf("%v, want ErrUnavailable", err)
			}
			if len(f.requests()) != attempts {
				t.Errorf("%d tries, want %d", len(f.requests()), attempts)
			}
		})
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
