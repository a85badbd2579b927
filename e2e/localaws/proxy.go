package localaws

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// exchange is a request on its way through the proxy.
type exchange struct {
	op  operation
	who Identity
}

// exchangeKey finds the exchange in the context of the request to the gateway.
type exchangeKey struct{}

// newForwarder makes the part of the proxy that passes requests on. The client's Host header stays, because it is
// signed.
func (a *AWS) newForwarder() *httputil.ReverseProxy {
	target := &url.URL{Scheme: "http", Host: "gateway"}
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		Transport: &http.Transport{
			DialContext: a.gateway.dial, DisableCompression: true, MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute,
		},
		ModifyResponse: a.dress,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}

// ServeHTTP is the local S3.
func (a *AWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "AmazonS3")
	w.Header().Set("Date", time.Now().Add(time.Duration(a.ahead.Load())).UTC().Format(http.TimeFormat))
	x := exchange{op: understand(r)}
	var problem *apiError
	x.who, problem = a.identify(r)
	entry := Request{
		Identity: x.who.Name, Op: opOf(x.op.name, r.Method), Operation: x.op.name, Method: r.Method, Bucket: x.op.bucket, Key: x.op.key,
		Version: x.op.version, Query: r.URL.RawQuery, IfNoneMatch: r.Header.Get("If-None-Match"), IfMatch: r.Header.Get("If-Match"), Range: r.Header.Get("Range"),
	}
	entry.CreateOnly = entry.IfNoneMatch == "*"
	defer func() { a.log.Add(entry) }()
	if problem != nil {
		entry.Status = problem.send(w, r)
		return
	}
	if no := a.refuse(x, r); no != nil {
		entry.Status = denied(no.message(x.who)).send(w, r)
		return
	}
	if no := notKept(r); no != nil {
		entry.Status = no.send(w, r)
		return
	}
	if a.lacksChecksum(r, x.op) {
		entry.Status = checksumError.send(w, r)
		return
	}
	fault, _ := a.Faults.Take(entry)
	entry.Fault = fault.Action
	switch fault.Action {
	case Conflict:
		entry.Status = conflictError.send(w, r)
		return
	case SlowDown, cloud.TooMany:
		entry.Status = slowDownError.send(w, r)
		return
	case Internal:
		entry.Status = internalError.send(w, r)
		return
	case LoseRequest:
		panic(http.ErrAbortHandler)
	case cloud.Unconditional:
		// The condition is signed and cannot be taken out; without an object below it holds.
		if _, err := a.root.DeleteObject(r.Context(), &s3.DeleteObjectInput{Bucket: &x.op.bucket, Key: &x.op.key}); err != nil {
			entry.Status = internalError.send(w, r)
			return
		}
	case Slow:
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	parameter, ours := settingOf(x.op, r)
	if ours || x.op.name == "PutObjectLockConfiguration" || x.op.name == "PutBucketVersioning" {
		if _, err := a.root.HeadBucket(r.Context(), &s3.HeadBucketInput{Bucket: &x.op.bucket}); err != nil {
			entry.Status = noBucketError.send(w, r) // before it looks at what is put
			return
		}
	}
	if ours {
		entry.Status = a.configure(w, r, x.op.bucket, parameter)
		return
	}
	a.pass(w, r, x, fault.Action == LoseResponse, &entry.Status)
}

// pass lets the gateway answer, makes events of what it did, and hands the answer to the client unless it is to be lost.
func (a *AWS) pass(w http.ResponseWriter, r *http.Request, x exchange, lose bool, status *int) {
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if x.op.name == "DeleteObjects" {
		*status = a.deleteObjects(w, r, x)
		return
	}
	if !lose && !x.op.creates() && x.op.name != "DeleteObject" {
		spy := &statusSpy{ResponseWriter: w, status: status}
		a.forwarder.ServeHTTP(spy, r)
		return
	}
	// A client that goes away after the last byte does not stop S3 from storing the object and telling of it.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	a.forwarder.ServeHTTP(held, r)
	if held.status/100 == 2 && !bytes.Contains(held.body.Bytes(), []byte("<Error>")) {
		a.publish(x, r, held)
	}
	if lose {
		panic(http.ErrAbortHandler)
	}
	*status = held.status
	held.copyTo(w)
}

// identify finds out who signed the request, from the header or a presigned URL. The signature itself is verified by
// the gateway.
func (a *AWS) identify(r *http.Request) (Identity, *apiError) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if fields := strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "); fields != r.Header.Get("Authorization") {
		for field := range strings.SplitSeq(fields, ",") {
			if value, ok := strings.CutPrefix(strings.TrimSpace(field), "Credential="); ok {
				credential = value
			}
		}
	}
	if credential == "" {
		problem := denied("Access Denied")
		return Identity{}, &problem
	}
	key, _, _ := strings.Cut(credential, "/")
	who, ok := a.byKey[key]
	if !ok {
		return Identity{}, &apiError{status: http.StatusForbidden, Code: "InvalidAccessKeyId",
			Message: "The AWS Access Key Id you provided does not exist in our records."}
	}
	return who, nil
}

// statusSpy notes the status of an answer that streams through.
type statusSpy struct {
	http.ResponseWriter
	status *int
}

func (s *statusSpy) WriteHeader(status int) {
	*s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusSpy) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// heldAnswer keeps an answer until it is clear what becomes of it. Of long bodies only the beginning is kept; they
// occur only where the answer is thrown away.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header    { return h.header }
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

func (h *heldAnswer) Write(p []byte) (int, error) {
	if room := 1<<20 - h.body.Len(); room > 0 {
		h.body.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (h *heldAnswer) copyTo(w http.ResponseWriter) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes())
}
