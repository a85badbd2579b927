package localgcp

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// exchange is one request: who asks, what, and of what.
type exchange struct {
	who       string
	op        cloud.Op
	operation string // GCS's name for it
	bucket    string
	key       string
	query     url.Values
	answer    func(w http.ResponseWriter, r *http.Request) *failure
}

// ServeHTTP answers the JSON API and hands out tokens.
func (g *GCP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", g.now().Add(time.Duration(g.ahead.Load())).UTC().Format(http.TimeFormat))
	if r.URL.Path == tokenPath {
		g.handOut(w, r)
		return
	}
	x := g.understand(r)
	if x == nil {
		fail(404, "notFound", "Not Found").answer(w)
		return
	}
	line := cloud.Request{
		Identity: x.who, Op: x.op, Operation: x.operation, Method: r.Method, Bucket: x.bucket, Key: x.key, Version: x.query.Get("generation"),
		Query: r.URL.RawQuery, CreateOnly: x.query.Get("ifGenerationMatch") == "0", Range: r.Header.Get("Range"),
	}
	seen := &status{ResponseWriter: w}
	defer func() { // also when the connection is broken off, which is a panic
		line.Status = seen.code
		if line.Key == "" {
			line.Key = x.key
		}
		g.Add(line)
	}()
	if x.who == "" {
		fail(http.StatusUnauthorized, "authError", "Invalid Credentials").answer(seen)
		return
	}
	if fault, ok := g.Faults.Take(line); ok {
		line.Fault = fault.Action
		switch fault.Action {
		case cloud.Conflict, cloud.SlowDown: // GCS has no 409 for an undecided write
			fail(503, "backendError", "Backend Error").answer(seen)
			return
		case cloud.TooMany:
			fail(429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate.").answer(seen)
			return
		case cloud.Internal:
			fail(500, "internalError", "We encountered an internal error. Please try again.").answer(seen)
			return
		case cloud.LoseRequest:
			panic(http.ErrAbortHandler)
		case cloud.Unconditional:
			x.query.Del("ifGenerationMatch")
		case cloud.LoseResponse:
			if f := x.answer(&nobody{header: http.Header{}}, r); f != nil {
				f.answer(&nobody{header: http.Header{}})
			}
			panic(http.ErrAbortHandler)
		case cloud.Slow:
			select {
			case <-time.After(fault.Delay):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
	}
	if f := x.answer(seen, r); f != nil {
		f.answer(seen)
	}
}

// understand reads a request's path; nil when there is nothing like it.
func (g *GCP) understand(r *http.Request) *exchange {
	x := &exchange{who: g.identify(r), op: cloud.Other, query: r.URL.Query()}
	path := r.URL.EscapedPath()
	media := x.query.Get("alt") == "media"
	if rest, ok := strings.CutPrefix(path, "/upload/storage/v1/b/"); ok {
		return g.understandUpload(x, r, rest)
	}
	if rest, ok := strings.CutPrefix(path, "/download"); ok {
		path = rest
	}
	rest, ok := strings.CutPrefix(path, "/storage/v1/b")
	if !ok {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return nil
		}
		parts[i] = plain
	}
	x.bucket = parts[0]
	do := func(op cloud.Op, operation string, answer func(http.ResponseWriter, *http.Request) *failure) {
		x.op, x.operation, x.answer = op, operation, answer
	}
	without := func(f func(http.ResponseWriter, *exchange) *failure) func(http.ResponseWriter, *http.Request) *failure {
		return func(w http.ResponseWriter, _ *http.Request) *failure { return f(w, x) }
	}
	with := func(f func(http.ResponseWriter, *http.Request, *exchange) *failure) func(http.ResponseWriter, *http.Request) *failure {
		return func(w http.ResponseWriter, r *http.Request) *failure { return f(w, r, x) }
	}
	switch {
	case len(parts) == 1 && parts[0] == "" && r.Method == http.MethodPost:
		do(cloud.Other, "buckets.insert", with(g.insertBucket))
	case len(parts) == 1 && r.Method == http.MethodGet:
		do(cloud.Other, "buckets.get", without(g.getBucket))
	case len(parts) == 1 && r.Method == http.MethodPatch:
		do(cloud.Other, "buckets.patch", with(g.patchBucket))
	case len(parts) == 2 && parts[1] == "lockRetentionPolicy" && r.Method == http.MethodPost:
		do(cloud.Other, "buckets.lockRetentionPolicy", without(g.lockPolicy))
	case len(parts) == 3 && parts[1] == "iam" && parts[2] == "testPermissions":
		do(cloud.Other, "buckets.testIamPermissions", without(g.testPermissions))
	case len(parts) == 2 && parts[1] == "o" && r.Method == http.MethodGet:
		x.key = x.query.Get("prefix")
		do(cloud.List, "objects.list", without(g.list))
	case len(parts) == 3 && parts[1] == "o":
		x.key = parts[2]
		switch r.Method {
		case http.MethodGet:
			if media {
				do(cloud.Read, "objects.get", nil)
			} else {
				do(cloud.Stat, "objects.get", nil)
			}
			x.answer = func(w http.ResponseWriter, r *http.Request) *failure { return g.get(w, r, x, media) }
		case http.MethodDelete:
			do(cloud.Delete, "objects.delete", without(g.remove))
		case http.MethodPatch:
			do(cloud.Retain, "objects.patch", with(g.patch))
		}
	case len(parts) > 3 && parts[1] == "o":
		x.key = parts[2]
		do(cloud.Other, "objects."+parts[3], func(http.ResponseWriter, *http.Request) *failure { return g.refuseCopy(x, parts) })
	}
	if x.answer == nil {
		if x.operation == "" {
			x.operation = r.Method + " " + path
		}
		x.answer = func(http.ResponseWriter, *http.Request) *failure {
			return fail(501, "notImplemented", "localgcp does not know %s", x.operation)
		}
	}
	return x
}

// understandUpload reads a request with content in it. What is sent to a session is done in the name of who opened it.
func (g *GCP) understandUpload(x *exchange, r *http.Request, rest string) *exchange {
	bucket, tail, _ := strings.Cut(rest, "/")
	var err error
	if x.bucket, err = url.PathUnescape(bucket); err != nil || tail != "o" {
		return nil
	}
	x.key = x.query.Get("name")
	id := x.query.Get("upload_id")
	switch {
	case id != "":
		s := g.at(id)
		if s == nil {
			x.op, x.operation = cloud.Part, "objects.insert chunk"
			x.answer = func(http.ResponseWriter, *http.Request) *failure {
				return fail(http.StatusNotFound, "notFound", "No such upload session")
			}
			return x
		}
		x.who, x.query = s.x.who, s.x.query
		x.op, x.operation = cloud.Part, "objects.insert chunk"
		x.answer = func(w http.ResponseWriter, r *http.Request) *failure { return g.send(w, r, s) }
		if r.Method == http.MethodDelete {
			x.op, x.operation = cloud.Abort, "objects.insert cancel"
			x.answer = func(w http.ResponseWriter, _ *http.Request) *failure { return g.cancel(w, s) }
		} else if !strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
			x.op, x.operation = cloud.Create, "objects.insert"
		}
	case r.Method != http.MethodPost:
		return nil
	case x.query.Get("uploadType") == "resumable":
		x.op, x.operation = cloud.Begin, "objects.insert begin"
		x.answer = func(w http.ResponseWriter, r *http.Request) *failure { return g.begin(w, r, x) }
	default:
		x.op, x.operation = cloud.Create, "objects.insert"
		if x.key == "" { // it stands in the body, and faults go by the key
			x.key = peekName(r)
		}
		x.answer = func(w http.ResponseWriter, r *http.Request) *failure { return g.insert(w, r, x) }
	}
	return x
}

// status notes what a client is told.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Write(p []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// nobody gets an answer that is lost.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) WriteHeader(int)             {}
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
