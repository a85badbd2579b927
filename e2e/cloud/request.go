package cloud

import (
	"slices"
	"sync"
)

// Request is one line of a request log.
type Request struct {
	Identity    string // "host"...; "" when nobody known signed it
	Op          Op
	Operation   string // the store's own name: "PutObject", "objects.insert", "PutBlob"
	Method      string
	Bucket      string
	Key         string // decoded
	Version     string // asked for
	Query       string
	IfNoneMatch string // S3 and Azure
	IfMatch     string // likewise
	CreateOnly  bool   // a write that succeeds only where nothing stands: If-None-Match: *, ifGenerationMatch=0
	Range       string
	Status      int    // what the client got; 0 when the connection was broken
	Fault       Action // injected
}

// Granted tells whether the client got a success.
func (r Request) Granted() bool { return r.Status/100 == 2 }

// Log keeps requests in the order of their ends.
type Log struct {
	mu   sync.Mutex
	list []Request
}

// Add appends one.
func (l *Log) Add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
}

// Requests are those that pass all filters.
func (l *Log) Requests(filters ...func(Request) bool) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Request
	for _, r := range l.list {
		if !slices.ContainsFunc(filters, func(pass func(Request) bool) bool { return !pass(r) }) {
			out = append(out, r)
		}
	}
	return out
}

// ForgetRequests empties the log.
func (l *Log) ForgetRequests() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// By passes the requests of one identity.
func By(identity string) func(Request) bool {
	return func(r Request) bool { return r.Identity == identity }
}

// Ops passes the named operations.
func Ops(ops ...Op) func(Request) bool {
	return func(r Request) bool { return slices.Contains(ops, r.Op) }
}

// Operations passes what the store itself calls by one of the names.
func Operations(names ...string) func(Request) bool {
	return func(r Request) bool { return slices.Contains(names, r.Operation) }
}

// In passes the requests on one bucket.
func In(bucket string) func(Request) bool {
	return func(r Request) bool { return r.Bucket == bucket }
}

// Keys passes keys that match the pattern (* and ?).
func Keys(pattern string) func(Request) bool {
	return func(r Request) bool { return Match(pattern, r.Key) }
}
