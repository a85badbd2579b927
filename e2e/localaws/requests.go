package localaws

import (
	"net/http"
	"slices"
	"sync"
)

// Request is one line of the request log.
type Request struct {
	Identity    string // "host"...; "" when nobody known signed it
	Operation   string // name in the S3 API: "PutObject"
	Method      string
	Bucket      string
	Key         string // decoded
	Version     string // asked for
	Query       string
	IfNoneMatch string
	Range       string
	Status      int    // what the client got; 0 when the connection was broken
	Fault       Action // injected
}

// Create reports whether the request asked for an object to appear.
func (r Request) Create() bool { return operation{name: r.Operation}.creates() }

// requestLog keeps every request in the order of its end.
type requestLog struct {
	mu   sync.Mutex
	list []Request
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
}

// Requests returns every request that has ended since the start or the last ForgetRequests and that passes all
// filters, in the order of their ends.
func (a *AWS) Requests(filters ...func(Request) bool) []Request {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	var out []Request
	for _, r := range a.log.list {
		if !slices.ContainsFunc(filters, func(pass func(Request) bool) bool { return !pass(r) }) {
			out = append(out, r)
		}
	}
	return out
}

// ForgetRequests empties the request log.
func (a *AWS) ForgetRequests() {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	a.log.list = nil
}

// By passes the requests of one identity.
func By(identity string) func(Request) bool {
	return func(r Request) bool { return r.Identity == identity }
}

// Operations passes the named API operations.
func Operations(names ...string) func(Request) bool {
	return func(r Request) bool { return slices.Contains(names, r.Operation) }
}

// Keys passes keys that match the pattern (* and ?, as in policies).
func Keys(pattern string) func(Request) bool {
	return func(r Request) bool { return wildcard(pattern, r.Key) }
}

// Deletes passes what could remove an object: DeleteObject, DeleteObjects and DeleteBucket, but not the abort of an
// upload.
func Deletes(r Request) bool {
	return r.Operation == "DeleteObjects" || r.Method == http.MethodDelete && r.Operation != "AbortMultipartUpload"
}
