package s3bucket

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
		code    string
		message string
		want    error
		advice  string // part of the error's text
	}{
		{"a condition that failed", 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", bucket.ErrExists, "412 PreconditionFailed"},
		{"a race that is undecided", 409, "ConditionalRequestConflict", "", bucket.ErrUnavailable, "409"},
		{"too fast", 503, "SlowDown", "Please reduce your request rate.", bucket.ErrThrottled, "503 SlowDown"},
		{"too many", 429, "TooManyRequests", "", bucket.ErrThrottled, ""},
		{"a failing store", 500, "InternalError", "We encountered an internal error.", bucket.ErrUnavailable, "500 InternalError"},
		{"a store that is away", 503, "ServiceUnavailable", "", bucket.ErrUnavailable, ""},
		{"a slow sender", 400, "RequestTimeout", "", bucket.ErrUnavailable, ""},
		{"no permission", 403, "AccessDenied", "Access Denied", bucket.ErrDenied, "it takes s3:PutObject"},
		{"no permission to lock", 403, "AccessDenied", "User: x is not authorized to perform: s3:PutObjectRetention on resource: y", bucket.ErrDenied, "not authorized to perform: s3:PutObjectRetention"},
		{"a locked object", 403, "AccessDenied", "Access Denied because object protected by object lock.", bucket.ErrRetained, "403 AccessDenied"},
		{"a locked object on MinIO", 400, "InvalidRequest", "Object is WORM protected and cannot be overwritten", bucket.ErrRetained, ""},
		{"an expired token", 400, "ExpiredToken", "The provided token has expired.", bucket.ErrDenied, "check the credentials"},
		{"an unknown key", 403, "InvalidAccessKeyId", "", bucket.ErrDenied, "check the credentials"},
		{"a wrong clock", 403, "RequestTimeTooSkewed", "", bucket.ErrDenied, "clock"},
		{"no such bucket", 404, "NoSuchBucket", "", bucket.ErrNotFound, "404 NoSuchBucket"},
		{"a wrong checksum", 400, "BadDigest", "The CRC32C you specified did not match", bucket.ErrInvalid, "did not match"},
		{"no lock in the bucket", 400, "InvalidRequest", "Bucket is missing Object Lock Configuration", bucket.ErrInvalid, "missing Object Lock"},
		{"another region", 301, "PermanentRedirect", "", bucket.ErrInvalid, "the bucket is in eu-west-9; set AWS_REGION"},
		{"a request that the server does not know", 501, "NotImplemented", "A header you provided implies functionality that is not implemented", bucket.ErrInvalid, "501"},
		{"a text of several lines", 400, "InvalidArgument", "one\ntwo\r\n\tthree", bucket.ErrInvalid, "one two three"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
				w.Header().Set("x-amz-bucket-region", "eu-west-9")
				refuse(w, tc.status, tc.code, tc.message)
			})
			_, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{})
			var e *bucket.Error
			if !errors.As(err, &e) || e.Kind != tc.want || e.Key != "s3://vault/pre/k" || e.Op != "create" {
				t.Fatalf("%#v, want %v", err, tc.want)
			}
			if !strings.Contains(err.Error(), tc.advice) || strings.Contains(err.Error(), "\n") {
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

func TestMissingCredentialsAreSaidPlainly(t *testing.T) {
	noConfig(t)
	b, err := Open(context.Background(), Options{URL: "s3://bucket", Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Stat(context.Background(), "k", "")
	if !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "set AWS_PROFILE") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want ErrDenied and what to set", err)
	}
}
