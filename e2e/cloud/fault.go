package cloud

import (
	"sync"
	"time"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

// Op is what a request asks of a store, whatever the store calls it.
type Op string

// The operations.
const (
	// Create makes an object appear, conditionally or not: PutObject, CompleteMultipartUpload and CopyObject, a GCS insert
	// and the last chunk of a resumable one, Put Blob and Put Block List.
	Create Op = "create"
	Begin  Op = "begin"  // CreateMultipartUpload, the start of a resumable upload
	Part   Op = "part"   // UploadPart, a chunk that is not the last, Put Block
	Abort  Op = "abort"  // AbortMultipartUpload, the cancelling of a resumable upload
	Read   Op = "read"   // an object's content
	Stat   Op = "stat"   // an object's description without its content
	List   Op = "list"   // keys or versions
	Delete Op = "delete" // whatever could remove or hide an object
	Retain Op = "retain" // whatever changes an object's lock
	Other  Op = "other"  // settings of buckets, copies, and the rest
)

// Action is what a fault does to a request.
type Action string

// The faults. Conflict, SlowDown, TooMany and Internal answer without passing the request on, in the cloud's own words.
// Conflict is the answer to a conditional write that the store could not decide (S3's 409), and TooMany is Google's 429;
// clouds that have none say 503.
// LoseResponse passes the request on and breaks the connection instead of answering ("failed, but stored");
// LoseRequest breaks it before ("failed, not stored"); Slow waits, and then passes it on if the client is still there.
// Unconditional obeys a create as if it had no condition, as a store does that does not know such conditions.
const (
	Conflict     Action = "409 ConditionalRequestConflict"
	SlowDown     Action = "503 SlowDown"
	TooMany      Action = "429 TooManyRequests"
	Internal     Action = "500 InternalError"
	LoseResponse Action = "lose the response"
	LoseRequest  Action = "lose the request"
	Slow         Action = "slow"

	Unconditional Action = "ignore the condition"
)

// Fault says which requests go wrong, and how.
type Fault struct {
	Op        Op            // "" is every operation
	Operation string        // the store's own name, as "PutObject"; "" is every one
	Method    string        // "PUT"...; "" is every method
	Bucket    string        // "" is every bucket
	Key       string        // pattern as in policies: * and ?; "" is every key, and calls on the bucket
	Identity  string        // "host"...; "" is everybody
	Action    Action        // what happens
	Delay     time.Duration // for Slow
	Times     int           // how often; 0 is always
	After     int           // the first After matching requests pass unharmed
	// Luck decides of each matching request, one at a time; nil is always.
	Luck func() bool
}

// Faults is a table of faults; the first that matches a request and is not used up happens. Requests that are denied
// meet no fault.
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

// Take finds the fault for a request and counts it.
func (f *Faults) Take(r Request) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.armed {
		if !a.matches(r) || a.Times > 0 && a.happened == a.Times {
			continue
		}
		if a.skipped < a.After {
			a.skipped++
			continue
		}
		if a.Luck != nil && !a.Luck() {
			continue
		}
		a.happened++
		return a.Fault, true
	}
	return Fault{}, false
}

// matches reports whether the fault speaks about the request.
func (f Fault) matches(r Request) bool {
	return (f.Op == "" || f.Op == r.Op) &&
		(f.Operation == "" || f.Operation == r.Operation) &&
		(f.Method == "" || f.Method == r.Method) &&
		(f.Bucket == "" || f.Bucket == r.Bucket) &&
		(f.Key == "" || Match(f.Key, r.Key)) &&
		(f.Identity == "" || f.Identity == r.Identity)
}

// Match compares a name with a pattern in which * stands for any characters, slashes too, and ? for one.
func Match(pattern, name string) bool { return awsiam.Match(pattern, name) }
