package localaws

import (
	"sync"
	"time"
)

// Action is what a fault does to a request.
type Action string

// The faults. Conflict, SlowDown and Internal answer without passing the request on; LoseResponse passes it on and
// breaks the connection instead of answering ("failed, but stored"); LoseRequest breaks it before ("failed, not
// stored"); Slow waits and then passes it on.
const (
	Conflict     Action = "409 ConditionalRequestConflict"
	SlowDown     Action = "503 SlowDown"
	Internal     Action = "500 InternalError"
	LoseResponse Action = "lose the response"
	LoseRequest  Action = "lose the request"
	Slow         Action = "slow"
)

// Fault says which requests go wrong, and how.
type Fault struct {
	Operation string        // "PutObject", "CompleteMultipartUpload"...; "" is every operation
	Method    string        // "PUT"...; "" is every method
	Bucket    string        // "" is every bucket
	Key       string        // pattern as in policies: * and ?; "" is every key, and calls on the bucket
	Identity  string        // "host"...; "" is everybody
	Action    Action        // what happens
	Delay     time.Duration // for Slow
	Times     int           // how often; 0 is always
	After     int           // the first After matching requests pass unharmed
}

// Faults is the table of faults; the first that matches a request and is not used up happens. Requests that the rules
// deny meet no fault.
type Faults struct {
	mu    sync.Mutex
	armed []*armedFault
}

type armedFault struct {
	Fault
	skipped, happened int
}

// Add arms the fault and returns a function that tells how often it has happened.
func (f *Faults) Add(fault Fault) (happened func() int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	armed := &armedFault{Fault: fault}
	f.armed = append(f.armed, armed)
	return func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return armed.happened
	}
}

// Clear disarms all faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

// take finds the fault for the request and counts it.
func (f *Faults) take(op operation, method, identity string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.armed {
		if !a.matches(op, method, identity) || a.Times > 0 && a.happened == a.Times {
			continue
		}
		if a.skipped < a.After {
			a.skipped++
			continue
		}
		a.happened++
		return a.Fault, true
	}
	return Fault{}, false
}

// matches reports whether the fault speaks about the request.
func (f Fault) matches(op operation, method, identity string) bool {
	return (f.Operation == "" || f.Operation == op.name) &&
		(f.Method == "" || f.Method == method) &&
		(f.Bucket == "" || f.Bucket == op.bucket) &&
		(f.Key == "" || wildcard(f.Key, op.key)) &&
		(f.Identity == "" || f.Identity == identity)
}
