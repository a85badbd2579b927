package gcsbucket

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// request is one request as the fake server got it.
type request struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         []byte
}

// fake answers what no other server can be made to answer. Everything else is
// tested in e2e, against a local Google Cloud.
type fake struct {
	mu     sync.Mutex
	log    []request
	answer func(n int, r request, w http.ResponseWriter) // n counts from 1
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Header.Set("X-Test-Host", r.Host)
	req := request{r.Method, r.URL.EscapedPath(), r.URL.Query(), r.Header, body}
	f.log = append(f.log, req)
	f.answer(len(f.log), req, w)
}

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log
}

// connectTo opens gs://vault/pre on a fake server that asks for no credentials,
// with pauses between tries that are too short to notice.
func connectTo(t *testing.T, answer func(n int, r request, w http.ResponseWriter), options ...func(*Options)) (*Bucket, *fake) {
	t.Helper()
	f := &fake{answer: answer}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	noConfig(t)
	t.Setenv(emulatorHost, server.URL)
	o := Options{URL: "gs://vault/pre/"}
	for _, set := range options {
		set(&o)
	}
	b, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	b.pauses.Initial, b.pauses.Max = time.Microsecond, time.Millisecond
	return b, f
}

// noConfig keeps the machine's own configuration out of the test.
func noConfig(t *testing.T) {
	t.Helper()
	for _, name := range []string{emulatorHost, endpointOverride, "GOOGLE_APPLICATION_CREDENTIALS"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir()) // gcloud's default credentials
}

// refuse answers as GCS does.
func refuse(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`, status, message, message, reason)
}

// numbers is "123456789", as GCS describes it.
const numbers = `{"kind":"storage#object","name":"pre/k","bucket":"vault","generation":"7","metageneration":"1","size":"9",
	"crc32c":"4waSgw==","md5Hash":"JfnnlDI7RTiF9Rgf8TcjEA==","etag":"CAcQAQ==","storageClass":"STANDARD","timeCreated":"2026-11-26T10:00:00.123Z"}`

func tell(w http.ResponseWriter, object string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = io.WriteString(w, object)
}

// is tells what kind of request it is: "insert", "begin", "chunk", "cancel",
// "get", "media", "patch" or "list".
func (r request) is(what string) bool { return r.what() == what }

func (r request) what() string {
	upload := strings.HasPrefix(r.Path, "/upload/")
	switch {
	case r.Path == "/session" && r.Method == http.MethodDelete:
		return "cancel"
	case r.Path == "/session":
		return "chunk"
	case upload && r.Query.Get("uploadType") == "resumable":
		return "begin"
	case upload:
		return "insert"
	case r.Method == http.MethodPatch:
		return "patch"
	case strings.HasSuffix(r.Path, "/o"):
		return "list"
	case r.Query.Get("alt") == "media":
		return "media"
	}
	return "get"
}
