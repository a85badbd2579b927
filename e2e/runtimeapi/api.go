package runtimeapi

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// invocation is one event on its way through an environment.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time

	once   sync.Once
	done   chan struct{}
	answer []byte
	err    *Error
}

// finish keeps the first outcome that the process reports.
func (in *invocation) finish(answer []byte, err *Error) {
	in.once.Do(func() {
		in.answer, in.err = answer, err
		close(in.done)
	})
}

// result is the reported outcome. Only after done is closed.
func (in *invocation) result() Result {
	return Result{RequestID: in.id, Payload: in.answer, Err: in.err}
}

// handler is the Runtime API, version 2018-06-01.
func (e *environment) handler() http.Handler {
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", e.serveNext)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST "+root+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(e.logs, "INIT_REPORT error: %s\n", body)
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// serveNext waits for an event.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case in := <-e.next:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:"+e.config.Name)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+in.id[:8]+"-"+strings.ReplaceAll(in.id, "-", "")[:24]+";Sampled=0")
		_, _ = w.Write(in.payload)
	}
}

// find is the running invocation with the id of the path, or nil after an answer.
func (e *environment) find(w http.ResponseWriter, r *http.Request) *invocation {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != r.PathValue("id") {
		http.Error(w, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return nil
	}
	return e.current
}

// serveResponse takes the function's answer. A stream that broke off reports its error in the trailers.
func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	in := e.find(w, r)
	if in == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 6<<20+1))
	if err != nil {
		return // the process died in the middle; its exit is the outcome
	}
	w.WriteHeader(http.StatusAccepted)
	switch broken := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); {
	case broken != "":
		in.finish(nil, &Error{Type: broken, Message: r.Trailer.Get("Lambda-Runtime-Function-Error-Body")})
	case len(body) > 6<<20:
		in.finish(nil, &Error{Type: "Function.ResponseSizeTooLarge", Message: "Response payload size exceeded maximum allowed payload size (6291556 bytes)."})
	default:
		in.finish(body, nil)
	}
}

// serveError takes the function's error.
func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	in := e.find(w, r)
	if in == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	report := &Error{}
	if err := json.Unmarshal(body, report); err != nil {
		report = &Error{Type: "Runtime.Unknown", Message: string(body)}
	}
	// A panic is reported and then ends the process, so that the environment is not warm any more.
	var stack struct {
		StackTrace []json.RawMessage `json:"stackTrace"`
	}
	if json.Unmarshal(body, &stack) == nil && len(stack.StackTrace) > 0 {
		e.spent.Store(true)
	}
	w.WriteHeader(http.StatusAccepted)
	in.finish(nil, report)
}

// newID is a random request id in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	s := hex.EncodeToString(b[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}
