package localazure

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// exchangeKey finds the operation in the context of the request to Azurite.
type exchangeKey struct{}

// newForwarder makes the part of the proxy that passes requests on: to this cloud's account, signed anew.
func (a *Azure) newForwarder() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", a.azurite.address, a.azurite.address
			path := "/" + a.account + strings.TrimPrefix(p.In.URL.EscapedPath(), "/"+Account)
			p.Out.URL.RawPath = path
			if plain, err := url.PathUnescape(path); err == nil {
				p.Out.URL.Path = plain
			}
			p.Out.URL.RawQuery = p.In.URL.RawQuery // the reverse proxy drops what it does not like
			a.sign(p.Out)
		},
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute},
		ModifyResponse: a.dress,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}

// ServeHTTP is the local Blob Storage.
func (a *Azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", a.Clock.Now().UTC().Format(http.TimeFormat))
	o := understand(r)
	who, err := a.identify(r)
	entry := cloud.Request{
		Identity: who.Name, Op: o.op, Operation: o.name, Method: r.Method, Bucket: o.container, Key: o.blob,
		Version: o.query.Get("versionid"), Query: r.URL.RawQuery, IfNoneMatch: r.Header.Get("If-None-Match"), IfMatch: r.Header.Get("If-Match"),
		Range: r.Header.Get("x-ms-range") + r.Header.Get("Range"),
	}
	entry.CreateOnly = entry.IfNoneMatch == "*"
	defer func() { a.log.Add(entry) }()
	switch {
	case err != nil:
		entry.Status = unknownError.send(w, r)
		return
	case !a.permits(who, o):
		entry.Status = deniedError.send(w, r)
		return
	case r.Header.Get("x-ms-immutability-policy-until-date") != "" || r.Header.Get("x-ms-legal-hold") != "":
		entry.Status = versionedError.send(w, r) // Azurite would ignore it
		return
	}
	fault, _ := a.Faults.Take(entry)
	entry.Fault = fault.Action
	switch fault.Action {
	case cloud.Conflict, cloud.SlowDown, cloud.TooMany: // Azure has no answer for a race that it could not decide
		entry.Status = busyError.send(w, r)
		return
	case cloud.Internal:
		entry.Status = internalError.send(w, r)
		return
	case cloud.LoseRequest:
		panic(http.ErrAbortHandler)
	case cloud.Unconditional:
		r.Header.Del("If-None-Match")
	case cloud.Slow:
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if o.writes && o.name != "PutBlock" {
		defer a.locks.alone(o.container, o.blob)()
	}
	if no := a.refusal(o); no != nil {
		if fault.Action == cloud.LoseResponse {
			panic(http.ErrAbortHandler)
		}
		entry.Status = no.send(w, r)
		return
	}
	if no := a.keys.refusal(o, r); no != nil {
		entry.Status = no.send(w, r)
		return
	}
	if o.name == "PutBlob" && entry.CreateOnly && !a.locks.stands(o.container, o.blob) {
		// Azurite 3.37 takes uncommitted blocks for a blob here, Azure does not ("Put Block": they are no blob until they
		// are committed). Nobody else writes this blob now.
		r.Header.Del("If-None-Match")
	}
	a.pass(w, r, o, fault.Action == cloud.LoseResponse, &entry.Status)
}

// pass lets Azurite answer, notes what it did, and hands the answer to the client unless it is to be lost.
func (a *Azure) pass(w http.ResponseWriter, r *http.Request, o operation, lose bool, status *int) {
	ctx := context.WithValue(r.Context(), exchangeKey{}, o)
	if o.writes {
		// A client that goes away after the last byte does not stop the store.
		ctx = context.WithoutCancel(ctx)
	}
	if lose {
		a.forwarder.ServeHTTP(&lost{header: http.Header{}}, r.WithContext(ctx))
		panic(http.ErrAbortHandler)
	}
	a.forwarder.ServeHTTP(&statusSpy{ResponseWriter: w, status: status}, r.WithContext(ctx))
}

// dress sees every answer of Azurite: it notes what was made and removed, makes events of it, and adds what Azurite does
// not say.
func (a *Azure) dress(answer *http.Response) error {
	answer.Header.Del("Date") // ServeHTTP has said what time it is
	o, _ := answer.Request.Context().Value(exchangeKey{}).(operation)
	switch {
	case o.creates() && answer.StatusCode == http.StatusCreated, o.name == "CopyBlob" && answer.StatusCode == http.StatusAccepted:
		a.locks.made(o.container, o.blob, a.Clock.Now())
		a.events.publish(a.newRecord(o, answer))
	case o.name == "DeleteBlob" && answer.StatusCode == http.StatusAccepted:
		a.locks.gone(o.container, o.blob)
	case o.name == "GetContainerProperties" && answer.StatusCode == http.StatusOK:
		k := a.locks.get(o.container)
		answer.Header.Set("x-ms-has-immutability-policy", strconv.FormatBool(k.period > 0))
		answer.Header.Set("x-ms-has-legal-hold", strconv.FormatBool(k.hold))
		answer.Header.Set("x-ms-immutable-storage-with-versioning-enabled", "false")
	}
	return nil
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

// lost is where an answer goes that nobody is to get.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) WriteHeader(int)             {}
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
