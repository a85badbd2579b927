package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pgseal/pgseal/functions/wake"
)

const (
	// maxRequests is how many requests are in hand at once, read or waiting: with
	// bodies of maxEvent, some 64 MiB.
	maxRequests = 256
	// patience is how long a sender waits for a verdict. Of a set that takes longer
	// it is told to come again; the call goes on meanwhile.
	patience = 20 * time.Second
	// comeAgain is what Retry-After says, in seconds.
	comeAgain = 30
	// gone is the status of those that did not wait for one.
	gone = "gone"
)

// routes are the service's paths.
func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.event)
	mux.HandleFunc("POST /events/{secret}", s.event)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		s.metrics.set(queueLength, "", float64(s.queue.length()))
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s.metrics.write(w)
	})
	return mux
}

// ready tells whether events are taken. It does not ask for the store: a
// versitygw that cannot reach its webhook does not start, so that each would
// wait for the other. Whether the store answers is told by the sweeps.
func (s *service) ready(w http.ResponseWriter, _ *http.Request) {
	if s.ending.Load() {
		http.Error(w, errStopped.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// event answers one notification: 204 when the finalizer has given a verdict on
// every backup that it names, or it names none; 503 when it has to come again.
// A 2xx has no body, as versitygw does not read one, and would leave the
// connection open.
func (s *service) event(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusInternalServerError, "a mistake in pgseal"
	_ = wake.Guard(s.log, func() error { // logs it
		status, text = s.answer(w, r)
		return nil
	})
	if r.Context().Err() != nil { // versitygw after 3 seconds; the call goes on
		s.metrics.add(requestsTotal, gone, 1)
		return
	}
	s.metrics.add(requestsTotal, strconv.Itoa(status), 1)
	switch status {
	case http.StatusNoContent:
		w.WriteHeader(status)
		return
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(comeAgain))
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="pgseal"`)
	}
	w.Header().Set("Connection", "close")
	http.Error(w, text, status)
}

// answer decides what a request is told.
func (s *service) answer(w http.ResponseWriter, r *http.Request) (status int, text string) {
	if !s.set.allowed(r) {
		s.refused.count(s, r.RemoteAddr)
		return http.StatusUnauthorized, "who are you?"
	}
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		return http.StatusServiceUnavailable, "too many requests are in hand"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.log.Warn("an event is dropped", "error", err)
		return http.StatusRequestEntityTooLarge, "an event has 256 KiB at most"
	}
	if err != nil {
		return http.StatusBadRequest, "the body could not be read"
	}
	records, err := recordsOf(body)
	if err != nil {
		s.log.Warn("an event is dropped", "error", err)
		return http.StatusBadRequest, err.Error()
	}
	if len(records) == 0 {
		s.metrics.add(eventsTotal, "test", 1)
	}
	if err := s.settle(r, records); err != nil {
		return http.StatusServiceUnavailable, "not finalized: " + publicly(err)
	}
	return http.StatusNoContent, ""
}

// publicly is what a sender is told. What the store said is for the log.
func publicly(err error) string {
	for _, known := range []error{errFull, errStopped, errLate} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the store or a right fails, see the log"
}

// settle has every marker among the records finalized, and waits for the ends.
// The error is the first one, after all have been tried.
func (s *service) settle(r *http.Request, records []record) error {
	var errs []error
	var calls []*call
	seen := map[wake.Object]bool{}
	for _, rec := range records {
		server, marker, ok := s.marker(rec)
		if !ok || seen[marker] {
			continue
		}
		seen[marker] = true
		c, err := s.queue.add(server, marker)
		if err != nil {
			s.sweeper.soon()
			errs = append(errs, err)
			continue
		}
		calls = append(calls, c)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for _, c := range calls {
		if _, err := s.queue.wait(r.Context(), c, timer.C); err != nil {
			errs = append(errs, err)
			if errors.Is(err, errLate) {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// marker finds the marker that a record tells of, if it does. versitygw tells of
// everything in all buckets, so that what does not concern us is no error, and
// a line in the log for each would be a flood.
func (s *service) marker(rec record) (server string, o wake.Object, ok bool) {
	kind := "other"
	for _, spelling := range rec.created() {
		server, _, err := s.backup(spelling)
		var elsewhere *wake.EventError
		switch {
		case err == nil:
			s.metrics.add(eventsTotal, "marker", 1)
			return server, spelling, true
		case errors.As(err, &elsewhere):
			kind = "other_bucket"
			if !s.otherBuckets.Swap(true) {
				s.log.Info("events of other buckets than staging are passed over; if the server can choose what it tells of, choose there", "error", err)
			}
		default:
			kind = "stray"
		}
	}
	s.metrics.add(eventsTotal, kind, 1)
	return "", wake.Object{}, false
}

// refusals tells the log of senders without a secret, once a minute at most:
// whoever knocks must not be able to fill the disk.
type refusals struct {
	mu    sync.Mutex
	since int
	told  time.Time
}

func (r *refusals) count(s *service, from string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since++
	if time.Since(r.told) < time.Minute {
		return
	}
	s.log.Warn("events without the right secret or certificate are refused", "from", from, "refused", r.since)
	r.since, r.told = 0, time.Now()
}
