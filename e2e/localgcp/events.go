package localgcp

import (
	"fmt"
	"strings"
	"sync"
)

// Finalized is the creation of an object (OBJECT_FINALIZE), before Eventarc or Pub/Sub have given it a shape.
type Finalized struct {
	Bucket, Name string
	Resource     map[string]any // the object as the JSON API shows it
	Overwrote    string         // the generation that was current before, or ""
}

func (g *GCP) newEvent(b *bucketState, o, before *object) Finalized {
	e := Finalized{Bucket: b.Name, Name: o.Name, Resource: g.resource(b, o)}
	if before != nil {
		e.Overwrote = fmt.Sprint(before.Generation)
	}
	return e
}

// events delivers to subscribers, to each in its own line.
type events struct {
	mu          sync.Mutex
	subscribers map[*subscriber]bool
}

type subscriber struct {
	bucket, prefix string
	waiting        chan struct{} // a sign that queue has grown
	done           chan struct{}
	mu             sync.Mutex
	queue          []Finalized
}

// Subscribe calls deliver for every object that is finalized in the bucket below the prefix, one after the other, until
// cancel.
func (g *GCP) Subscribe(bucket, prefix string, deliver func(Finalized)) (cancel func()) {
	s := &subscriber{bucket: bucket, prefix: prefix, waiting: make(chan struct{}, 1), done: make(chan struct{})}
	g.events.mu.Lock()
	if g.events.subscribers == nil {
		g.events.subscribers = map[*subscriber]bool{}
	}
	g.events.subscribers[s] = true
	g.events.mu.Unlock()
	go s.run(deliver)
	return func() { g.events.drop(s) }
}

func (e *events) drop(s *subscriber) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subscribers[s] {
		delete(e.subscribers, s)
		close(s.done)
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subscribers {
		close(s.done)
	}
	clear(e.subscribers)
}

func (e *events) publish(f Finalized) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subscribers {
		if s.bucket != f.Bucket || !strings.HasPrefix(f.Name, s.prefix) {
			continue
		}
		s.mu.Lock()
		s.queue = append(s.queue, f)
		s.mu.Unlock()
		select {
		case s.waiting <- struct{}{}:
		default:
		}
	}
}

func (s *subscriber) run(deliver func(Finalized)) {
	for {
		select {
		case <-s.done:
			return
		case <-s.waiting:
		}
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, f := range batch {
			select {
			case <-s.done:
				return
			default:
				deliver(f)
			}
		}
	}
}
