package s3bucket

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// request is one request as the fake server got it.
type request struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// fake answers what no real server can be made to answer. Everything else is
// tested in e2e, against a real one.
type fake struct {
	mu     sync.Mutex
	log    []request
	answer func(n int, r request, w http.ResponseWriter) // n counts from 1
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	req := request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, body}
	f.log = append(f.log, req)
	f.answer(len(f.log), req, w)
}

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log
}

// connectTo opens s3://vault/pre on a fake server, with pauses between tries
// that are too short to notice.
func connectTo(t *testing.T, answer func(n int, r request, w http.ResponseWriter), options ...func(*Options)) (*Bucket, *fake) {
	t.Helper()
	f := &fake{answer: answer}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	o := Options{URL: "s3://vault/pre/", Endpoint: server.URL}
	for _, set := range options {
		set(&o)
	}
	b := openWithKeys(t, o)
	was := b.client.Options()
	b.client = s3.New(was, func(o *s3.Options) {
		o.HTTPClient = was.HTTPClient // as it is: New sets its own dialer
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.AddWithMaxAttempts(retry.NewStandard(), attempts), time.Millisecond)
	})
	return b, f
}

func openWithKeys(t *testing.T, o Options) *Bucket {
	t.Helper()
	noConfig(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	b, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noConfig keeps the machine's own AWS configuration out of the test.
func noConfig(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>R</RequestId></Error>", code, message)
}

// is tells whether the request is for one of the sub-resources of an object.
func (r request) is(method, query string) bool {
	return r.Method == method && (query == "" || len(r.Query) >= len(query) && r.Query[:len(query)] == query)
}
