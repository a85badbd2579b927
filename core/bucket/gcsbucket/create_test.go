package gcsbucket

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestOneRequestCarriesConditionSumLockAndLabels(t *testing.T) {
	b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { tell(w, numbers) }, func(o *Options) {
		o.KMSKeyName = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
		o.Tags = map[string]string{"team": "db", "kept": "no"}
	})
	until := time.Date(2031, 2, 3, 4, 5, 6, 1, time.UTC)
	obj, err := b.Create(context.Background(), "k", strings.NewReader("123456789"), bucket.CreateOptions{
		RetainUntil: until, Metadata: map[string]string{"pgseal-sha256": "00"}, Tags: map[string]string{"kept": "yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if obj.Key != "k" || obj.Size != 9 || obj.Version != "7" || obj.ETag != "25f9e794323b453885f5181ff1372310" || obj.CRC32C != "e3069283" || !obj.Latest {
		t.Errorf("%+v", obj)
	}
	if len(f.requests()) != 1 {
		t.Fatalf("%d requests, want one", len(f.requests()))
	}
	r := f.requests()[0]
	about, content := parts(t, r)
	if r.Method != "POST" || r.Path != "/upload/storage/v1/b/vault/o" || r.Query.Get("uploadType") != "multipart" || content != "123456789" {
		t.Errorf("%s %s %s with %q", r.Method, r.Path, r.Query, content)
	}
	for name, value := range map[string]string{"ifGenerationMatch": "0", "kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"} {
		if got := r.Query.Get(name); got != value {
			t.Errorf("%s=%q, want %q", name, got, value)
		}
	}
	want := `{"bucket":"vault","contentType":"application/octet-stream","crc32c":"4waSgw==","metadata":{"kept":"yes","pgseal-sha256":"00","team":"db"},"name":"pre/k","retention":{"mode":"Locked","retainUntilTime":"2031-02-03T04:05:07Z"}}`
	if about != want {
		t.Errorf("%s, want %s", about, want)
	}
	if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "pgseal/") {
		t.Errorf("User-Agent: %s", agent)
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("an emulator is shown credentials")
	}
}

// parts are the two parts of a request with description and content.
func parts(t *testing.T, r request) (about, content string) {
	t.Helper()
	_, boundary, _ := strings.Cut(r.Header.Get("Content-Type"), "boundary=")
	all := strings.Split(string(r.Body), "--"+boundary)
	if len(all) != 4 {
		t.Fatalf("%d parts in %q", len(all)-2, r.Body)
	}
	_, about, _ = strings.Cut(all[1], "\r\n\r\n")
	_, content, _ = strings.Cut(all[2], "\r\n\r\n")
	var sorted map[string]any
	if err := json.Unmarshal([]byte(about), &sorted); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(sorted)
	return string(again), strings.TrimSuffix(content, "\r\n")
}

func TestATryIsRepeatedAsItWas(t *testing.T) {
	b, f := connectTo(t, func(n int, _ request, w http.ResponseWriter) {
		switch n {
		case 1:
			refuse(w, 503, "backendError", "")
		case 2:
			refuse(w, 429, "rateLimitExceeded", "")
		case 3:
			panic(http.ErrAbortHandler)
		default:
			tell(w, numbers)
		}
	})
	if _, err := b.Create(context.Background(), "k", strings.NewReader("123456789"), bucket.CreateOptions{}); err != nil || len(f.requests()) != 4 {
		t.Errorf("%v after %d requests", err, len(f.requests()))
	}
	for _, r := range f.requests() {
		if _, content := parts(t, r); content != "123456789" || r.Query.Get("ifGenerationMatch") != "0" {
			t.Errorf("a try sent %q under %s", content, r.Query)
		}
	}
}

func TestALostAnswerEndsInExists(t *testing.T) {
	b, _ := connectTo(t, func(n int, _ request, w http.ResponseWriter) {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		refuse(w, 412, "conditionNotMet", "")
	})
	if _, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
}

func TestAnotherSumThanWasSentIsNeverASuccess(t *testing.T) {
	for _, size := range []int{9, chunkUnit + 1} {
		b, _ := connectTo(t, sessions(func(w http.ResponseWriter, _ request) { tell(w, numbers) }))
		body := bytes.Repeat([]byte("x"), size)
		_, err := b.Create(context.Background(), "k", bytes.NewReader(body), bucket.CreateOptions{PartSize: 1})
		if !errors.Is(err, bucket.ErrInvalid) || bucket.Retryable(err) || bucket.Exists(err) || !strings.Contains(err.Error(), "this object is damaged") {
			t.Errorf("%d bytes: %v, want ErrInvalid that says so", size, err)
		}
	}
}

// sessions answers uploads; last answers the request that makes the object.
func sessions(last func(w http.ResponseWriter, r request)) func(int, request, http.ResponseWriter) {
	return func(_ int, r request, w http.ResponseWriter) {
		switch r.what() {
		case "begin":
			w.Header().Set("Location", "http://"+r.Header.Get("X-Test-Host")+"/session")
		case "chunk":
			if strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
				w.Header().Set("X-Http-Status-Code-Override", "308")
				return
			}
			last(w, r)
		case "insert":
			last(w, r)
		case "cancel":
			w.WriteHeader(499)
		default:
			refuse(w, 500, "unexpected", r.Method+" "+r.Path)
		}
	}
}

func TestHowTheLastChunkCanEnd(t *testing.T) {
	body := bytes.Repeat([]byte("pgseal "), 80_000) // three chunks of 256 KiB
	sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli)))
	for _, tc := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   error
		text   string
		tries  int
	}{
		{"something is there", func(w http.ResponseWriter) { refuse(w, 412, "conditionNotMet", "") }, bucket.ErrExists, "412", 1},
		{"something locked is there", func(w http.ResponseWriter) { refuse(w, 403, "retentionPolicyNotMet", "") }, bucket.ErrRetained, "403", 1},
		{"the session is gone", func(w http.ResponseWriter) { w.WriteHeader(410) }, bucket.ErrUnavailable, "send everything anew", 1},
		{"the session was never there", func(w http.ResponseWriter) { w.WriteHeader(404) }, bucket.ErrUnavailable, "send everything anew", 1},
		{"a failing store", func(w http.ResponseWriter) { w.WriteHeader(503) }, bucket.ErrUnavailable, "503", attempts},
		{"a store that does not answer", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, bucket.ErrUnavailable, "no answer", attempts},
		{"a wrong sum", func(w http.ResponseWriter) { refuse(w, 400, "invalid", "CRC32C") }, bucket.ErrInvalid, "CRC32C", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, sessions(func(w http.ResponseWriter, _ request) { tc.answer(w) }))
			_, err := b.Create(context.Background(), "k", bytes.NewReader(body), bucket.CreateOptions{PartSize: 1})
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.text)
			}
			var ranges []string
			last, cancels := 0, 0
			for _, r := range f.requests() {
				switch r.what() {
				case "begin":
					if r.Query.Get("ifGenerationMatch") != "0" {
						t.Errorf("begun with %s", r.Query)
					}
				case "chunk":
					at := r.Header.Get("Content-Range")
					if strings.HasSuffix(at, "/*") {
						ranges = append(ranges, at)
					} else if last++; at != "bytes 524288-559999/560000" || r.Header.Get("X-Goog-Hash") != "crc32c="+sum {
						t.Errorf("the last chunk %s came with the sum %q, want %s", at, r.Header.Get("X-Goog-Hash"), sum)
					}
				case "cancel":
					cancels++
				}
			}
			if fmt.Sprint(ranges) != "[bytes 0-262143/* bytes 262144-524287/*]" || last != tc.tries || cancels != 1 {
				t.Errorf("chunks %v, the last one %d times, %d cancels; want the last %d times and 1", ranges, last, cancels, tc.tries)
			}
		})
	}
}

func TestACancelThatFailsIsReported(t *testing.T) {
	answer := sessions(func(w http.ResponseWriter, _ request) { refuse(w, 412, "conditionNotMet", "") })
	b, _ := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		if r.is("cancel") {
			refuse(w, 403, "forbidden", "no")
			return
		}
		answer(n, r, w)
	})
	_, err := b.Create(context.Background(), "k", bytes.NewReader(make([]byte, 300<<10)), bucket.CreateOptions{PartSize: 1})
	if !errors.Is(err, bucket.ErrExists) || !strings.Contains(err.Error(), "stays open") {
		t.Errorf("%v, want ErrExists and what is left behind", err)
	}
}

func TestAChunkThatFailsStopsTheBody(t *testing.T) {
	answer := sessions(func(http.ResponseWriter, request) { t.Error("finished") })
	b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		if strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 262144-") {
			refuse(w, 403, "forbidden", "no storage.objects.create")
			return
		}
		answer(n, r, w)
	})
	_, err := b.Create(context.Background(), "k", &zeros{}, bucket.CreateOptions{PartSize: 1, PartsInFlight: 4})
	if !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("%v, want ErrDenied", err)
	}
	if last := f.requests()[len(f.requests())-1]; !last.is("cancel") {
		t.Errorf("the last request is %s, want the cancel", last.what())
	}
}

type zeros struct{}

func (*zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestACheckOpensASessionAndCancelsIt(t *testing.T) {
	for _, tc := range []struct {
		name string
		deny func(w http.ResponseWriter)
		want error
		text string
	}{
		{"allowed", nil, nil, ""},
		{"not allowed", func(w http.ResponseWriter) { refuse(w, 403, "forbidden", "no storage.objects.create") }, bucket.ErrDenied, "storage.objects.create"},
		{"no bucket", func(w http.ResponseWriter) {
			refuse(w, 404, "notFound", "The specified bucket does not exist.")
		}, bucket.ErrNotFound, "404"},
		{"something is there", func(w http.ResponseWriter) { refuse(w, 412, "conditionNotMet", "") }, nil, ""},
		{"no store at all", func(w http.ResponseWriter) { tell(w, "{}") }, bucket.ErrInvalid, "protocol"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer := sessions(func(http.ResponseWriter, request) { t.Error("something was stored") })
			b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
				if r.is("begin") && tc.deny != nil {
					tc.deny(w)
					return
				}
				answer(n, r, w)
			})
			err := b.CheckCreate(context.Background(), "a b/k")
			if !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			all := f.requests()
			if all[0].Query.Get("name") != "pre/a b/k" || all[0].Query.Get("ifGenerationMatch") != "0" {
				t.Errorf("asked %s", all[0].Query)
			}
			if cancelled := all[len(all)-1].is("cancel"); cancelled != (tc.deny == nil) {
				t.Errorf("the last request is %s", all[len(all)-1].what())
			}
		})
	}
}
