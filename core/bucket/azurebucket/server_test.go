package azurebucket

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
	req := request{r.Method, r.URL.EscapedPath(), r.URL.Query(), r.Header, body}
	f.log = append(f.log, req)
	f.answer(len(f.log), req, w)
}

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log
}

const secret = "c2VjcmV0IGtleQ=="

// connectTo opens container vault, path pre, on a fake server, with pauses
// between tries that are too short to notice.
func connectTo(t *testing.T, answer func(n int, r request, w http.ResponseWriter), options ...func(*Options)) (*Bucket, *fake) {
	t.Helper()
	f := &fake{answer: answer}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	noConfig(t)
	t.Setenv(envConnection, "AccountName=account1;AccountKey="+secret+";BlobEndpoint="+server.URL+"/account1;")
	o := Options{URL: server.URL + "/account1/vault/pre/", retryDelay: time.Millisecond}
	for _, set := range options {
		set(&o)
	}
	b, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b, f
}

// noConfig keeps the machine's own configuration out of the test.
func noConfig(t *testing.T) {
	t.Helper()
	for _, name := range []string{envConnection, envSAS, envKey, EnvRetention, "AZURE_CLIENT_ID"} {
		t.Setenv(name, "")
	}
}

// refuse answers as Azure does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("x-ms-error-code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:1\nTime:2</Message></Error>", code, message)
}

// is tells what the request asks for: "Put Blob", "Put Block", "container".
func (r request) is(what string) bool {
	switch comp := r.Query.Get("comp"); {
	case r.Query.Get("restype") == "container" && comp == "":
		return what == "container"
	case comp == "list":
		return what == "list"
	case r.Method == http.MethodPut && comp == "":
		return what == "Put Blob"
	case comp == "block":
		return what == "Put Block"
	case comp == "blocklist":
		return what == "Put Block List"
	case comp == "immutabilityPolicies":
		return what == "Set Immutability Policy"
	case r.Method == http.MethodHead:
		return what == "HEAD"
	case r.Method == http.MethodGet:
		return what == "GET"
	}
	return false
}

// locked answers for a container: "policy", "hold", "versions", or none of them.
func locked(w http.ResponseWriter, kinds string) {
	w.Header().Set("x-ms-has-immutability-policy", fmt.Sprint(strings.Contains(kinds, "policy")))
	w.Header().Set("x-ms-has-legal-hold", fmt.Sprint(strings.Contains(kinds, "hold")))
	w.Header().Set("x-ms-immutable-storage-with-versioning-enabled", fmt.Sprint(strings.Contains(kinds, "versions")))
}
