package s3bucket

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestOneRequestCarriesConditionSumLockAndLabels(t *testing.T) {
	b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
		w.Header().Set("ETag", `"abc"`)
		w.Header().Set("x-amz-version-id", "v1")
		w.Header().Set("x-amz-checksum-crc32c", "4waSgw==")
	})
	b.sse, b.tags = "AES256", map[string]string{"team": "db", "kept": "no"}
	until := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	obj, err := b.Create(context.Background(), "a b/k", strings.NewReader("123456789"), bucket.CreateOptions{
		RetainUntil: until, Metadata: map[string]string{"pgseal-sha256": "00"}, Tags: map[string]string{"kept": "yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := bucket.Object{Key: "a b/k", Size: 9, Version: "v1", ETag: "abc", CRC32C: "e3069283", Latest: true}
	if obj.Key != want.Key || obj.Size != want.Size || obj.Version != want.Version || obj.ETag != want.ETag || obj.CRC32C != want.CRC32C {
		t.Errorf("%+v, want %+v", obj, want)
	}
	if len(f.requests()) != 1 {
		t.Fatalf("%d requests, want one", len(f.requests()))
	}
	r := f.requests()[0]
	if r.Method != "PUT" || r.Path != "/vault/pre/a%20b/k" || string(r.Body) != "123456789" {
		t.Errorf("%s %s with %q", r.Method, r.Path, r.Body)
	}
	for header, value := range map[string]string{
		"If-None-Match":                       "*",
		"Content-Length":                      "9",
		"X-Amz-Checksum-Crc32c":               "4waSgw==",
		"X-Amz-Checksum-Crc32":                "",
		"X-Amz-Content-Sha256":                "UNSIGNED-PAYLOAD",
		"Content-Encoding":                    "",
		"X-Amz-Object-Lock-Mode":              "COMPLIANCE",
		"X-Amz-Object-Lock-Retain-Until-Date": "2031-02-03T04:05:06Z",
		"X-Amz-Server-Side-Encryption":        "AES256",
		"X-Amz-Meta-Pgseal-Sha256":            "00",
		"X-Amz-Tagging":                       "kept=yes&team=db",
	} {
		if got := r.Header.Get(header); got != value {
			t.Errorf("%s: %q, want %q", header, got, value)
		}
	}
	if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "x-amz-checksum-crc32c") || !strings.Contains(signed, "if-none-match") {
		t.Errorf("the condition and the sum are not signed: %s", signed)
	}
}

func TestAnUndecidedRaceIsTriedAgain(t *testing.T) {
	b, f := connectTo(t, func(n int, _ request, w http.ResponseWriter) {
		if n <= 3 {
			refuse(w, 409, conflict, "")
		}
	})
	if _, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{}); err != nil || len(f.requests()) != 4 {
		t.Errorf("%v after %d requests", err, len(f.requests()))
	}
	for _, r := range f.requests() {
		if string(r.Body) != "x" || r.Header.Get("If-None-Match") != "*" {
			t.Errorf("a try sent %q under condition %q", r.Body, r.Header.Get("If-None-Match"))
		}
	}
}

func TestALostAnswerEndsInExists(t *testing.T) {
	b, _ := connectTo(t, func(n int, _ request, w http.ResponseWriter) {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		refuse(w, 412, "PreconditionFailed", "")
	})
	if _, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
}

// multipart answers an upload of parts; complete answers what the test is about.
func multipart(complete func(w http.ResponseWriter)) func(int, request, http.ResponseWriter) {
	return func(_ int, r request, w http.ResponseWriter) {
		switch {
		case r.is("POST", "uploads"):
			_, _ = w.Write([]byte(`<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>`))
		case r.is("PUT", "partNumber"):
			w.Header().Set("ETag", `"p"`)
		case r.is("POST", "uploadId"):
			complete(w)
		case r.is("DELETE", "uploadId"):
			w.WriteHeader(http.StatusNoContent)
		case r.is("HEAD", ""):
		default:
			refuse(w, 500, "Unexpected", r.Method+" "+r.Query)
		}
	}
}

func TestHowACompletionCanEnd(t *testing.T) {
	body := bytes.Repeat([]byte("pgseal "), 2<<20) // three parts
	for _, tc := range []struct {
		name    string
		answers func(w http.ResponseWriter)
		head    int
		want    error
		text    string
		tries   int
	}{
		{"something is there", func(w http.ResponseWriter) { refuse(w, 412, "PreconditionFailed", "") }, 200, bucket.ErrExists, "412", 1},
		{"the upload is used up and the object is there", func(w http.ResponseWriter) { refuse(w, 404, noSuchUpload, "") }, 200, bucket.ErrExists, "an object is there", 1},
		{"the upload is gone and no object is there", func(w http.ResponseWriter) { refuse(w, 404, noSuchUpload, "") }, 404, bucket.ErrUnavailable, "send them anew", 1},
		{"another write came between", func(w http.ResponseWriter) { refuse(w, 409, conflict, "") }, 404, bucket.ErrUnavailable, "anew", 1},
		{"a failure told late, after the 200", func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`<Error><Code>InternalError</Code><Message>m</Message></Error>`))
		}, 404, bucket.ErrUnavailable, "InternalError", attempts},
		{"a wrong sum", func(w http.ResponseWriter) { refuse(w, 400, "BadDigest", "sum") }, 404, bucket.ErrInvalid, "BadDigest", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer := multipart(tc.answers)
			b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
				if r.Method == "HEAD" {
					w.WriteHeader(tc.head)
					return
				}
				answer(n, r, w)
			})
			_, err := b.Create(context.Background(), "k", bytes.NewReader(body), bucket.CreateOptions{PartSize: 5 << 20})
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.text)
			}
			parts, completes, aborts := 0, 0, 0
			for _, r := range f.requests() {
				switch {
				case r.is("PUT", "partNumber"):
					parts++
					if r.Header.Get("X-Amz-Content-Sha256") != "UNSIGNED-PAYLOAD" || r.Header.Get("X-Amz-Checksum-Crc32c") == "" || r.Header.Get("Expect") != "" {
						t.Errorf("a part was sent with %v", r.Header)
					}
				case r.is("POST", "uploadId"):
					completes++
					if r.Header.Get("If-None-Match") != "*" || r.Header.Get("X-Amz-Checksum-Type") != "FULL_OBJECT" || r.Header.Get("X-Amz-Mp-Object-Size") != "14680064" {
						t.Errorf("completed with %v", r.Header)
					}
				case r.is("DELETE", "uploadId"):
					aborts++
				}
			}
			if parts != 3 || completes != tc.tries || aborts != 1 {
				t.Errorf("%d parts, %d completions, %d aborts; want 3, %d, 1", parts, completes, aborts, tc.tries)
			}
		})
	}
}

func TestAnAbortThatFailsIsReported(t *testing.T) {
	answer := multipart(func(w http.ResponseWriter) { refuse(w, 412, "PreconditionFailed", "") })
	b, _ := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		if r.Method == "DELETE" {
			refuse(w, 403, "AccessDenied", "Access Denied")
			return
		}
		answer(n, r, w)
	})
	_, err := b.Create(context.Background(), "k", bytes.NewReader(make([]byte, 6<<20)), bucket.CreateOptions{PartSize: 5 << 20})
	if !errors.Is(err, bucket.ErrExists) || !strings.Contains(err.Error(), "s3:AbortMultipartUpload") {
		t.Errorf("%v, want ErrExists and what is left behind", err)
	}
}

func TestAPartThatFailsStopsTheBody(t *testing.T) {
	answer := multipart(func(http.ResponseWriter) { t.Error("completed") })
	b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		if q, _ := url.ParseQuery(r.Query); q.Get("partNumber") == "2" {
			refuse(w, 403, "AccessDenied", "Access Denied")
			return
		}
		answer(n, r, w)
	})
	endless := &zeros{}
	_, err := b.Create(context.Background(), "k", endless, bucket.CreateOptions{PartSize: 5 << 20})
	if !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("%v, want ErrDenied", err)
	}
	if last := f.requests()[len(f.requests())-1]; !last.is("DELETE", "uploadId") {
		t.Errorf("the last request is %s %s, want the abort", last.Method, last.Query)
	}
}

type zeros struct{}

func (*zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPartsGrowSoThatTenThousandHoldMuch(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first int64
		n     int
		want  int64
	}{
		{"the first", 8 << 20, 1, 8 << 20},
		{"the last of the small ones", 8 << 20, 9_500, 8 << 20},
		{"twice as long", 8 << 20, 9_501, 16 << 20},
		{"the last", 8 << 20, 10_000, 256 << 20},
		{"no part beyond S3's limit", 1 << 30, 9_900, 5 << 30},
	} {
		if got, err := partSizes.Of(tc.first, tc.n); err != nil || got != tc.want {
			t.Errorf("%s: %d, %v, want %d", tc.name, got, err, tc.want)
		}
	}
	if _, err := partSizes.Of(8<<20, 10_001); err == nil || !strings.Contains(err.Error(), "raise the part size") {
		t.Errorf("part 10,001: %v, want advice", err)
	}
	var total int64
	for n := 1; n <= partSizes.Parts; n++ {
		size, _ := partSizes.Of(8<<20, n)
		total += size
	}
	if total>>30 != 122 {
		t.Errorf("8 MiB parts hold %d GiB, the comment says 122", total>>30)
	}
}
