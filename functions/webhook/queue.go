package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pgseal/pgseal/functions/wake"
)

// Bounds of the queue. What does not fit is told to come again, and the sweep
// finds it if it does not.
const (
	workers      = 4
	maxQueued    = 1024
	maxPerServer = maxQueued / 4 // one server's flood leaves room for the others
)

var (
	errFull    = errors.New("too many backups wait to be looked at")
	errStopped = errors.New("the service ends")
	errLate    = errors.New("there is no verdict yet, and it is still worked on")
)

// queue runs the finalizer for markers, one call at a time for each. A marker
// that comes while its backup waits for its turn is answered by that turn; one
// that comes while its call runs is answered by another call after it, as
// the first may have looked before the last object was there.
type queue struct {
	finalize func(context.Context, []wake.Object) ([]wake.Result, error)

	mu      sync.Mutex
	slots   map[wake.Object]*slot
	servers map[string]int // how many slots each has
	turns   chan *slot     // has room for all slots, each of which is in it once at most
	closed  bool

	draining chan struct{} // closed when no further call begins
	stopped  chan struct{} // closed when no call runs any more
}

// slot is one marker that waits or is worked on.
type slot struct {
	object wake.Object
	server string
	next   *call // the call that has not begun yet
}

// call is one call of the finalizer, and its end.
type call struct {
	done   chan struct{} // closed at its end
	result []wake.Result
	err    error
}

func newQueue(finalize func(context.Context, []wake.Object) ([]wake.Result, error)) *queue {
	return &queue{
		finalize: finalize, slots: map[wake.Object]*slot{}, servers: map[string]int{},
		turns: make(chan *slot, maxQueued), draining: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// add gives the call that will begin after now. The error is errFull or
// errStopped.
func (q *queue) add(server string, o wake.Object) (*call, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.slots[o]
	switch {
	case q.closed:
		return nil, errStopped
	case s != nil && s.next != nil:
		return s.next, nil
	case s == nil && (len(q.slots) >= maxQueued || q.servers[server] >= maxPerServer):
		return nil, errFull
	}
	next := &call{done: make(chan struct{})}
	if s != nil { // its call runs; whoever runs it sees that there is another one
		s.next = next
		return next, nil
	}
	s = &slot{object: o, server: server, next: next}
	q.slots[o] = s
	q.servers[server]++
	q.turns <- s
	return next, nil
}

// length is how many markers wait or are worked on.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.slots)
}

// run works until stop, and then for as long as calls take that have begun, or
// until the context ends, which ends them.
func (q *queue) run(ctx context.Context) {
	defer close(q.stopped)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				select {
				case <-q.draining:
					return
				case s := <-q.turns:
					if !q.turn(ctx, s) {
						return
					}
				}
			}
		})
	}
	all.Wait()
}

// stop lets no further call begin.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.draining)
}

// turn makes one call, and puts the slot at the queue's end if it was asked for
// again meanwhile. False is the end: no call began.
func (q *queue) turn(ctx context.Context, s *slot) bool {
	q.mu.Lock()
	c, closed := s.next, q.closed
	if !closed {
		s.next = nil
	}
	q.mu.Unlock()
	if closed {
		return false
	}

	c.result, c.err = q.finalize(ctx, []wake.Object{s.object})

	q.mu.Lock()
	defer q.mu.Unlock()
	if s.next != nil {
		q.turns <- s
	} else {
		delete(q.slots, s.object)
		if q.servers[s.server]--; q.servers[s.server] == 0 {
			delete(q.servers, s.server)
		}
	}
	close(c.done)
	return true
}

// wait gives the end of a call, or why it was not waited for. Nobody's leaving
// ends a call.
func (q *queue) wait(ctx context.Context, c *call, patience <-chan time.Time) ([]wake.Result, error) {
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-patience:
		return nil, errLate
	case <-q.stopped:
	}
	select {
	case <-c.done:
		return c.result, c.err
	default:
		return nil, errStopped
	}
}
