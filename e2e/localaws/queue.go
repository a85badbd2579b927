package localaws

import (
	"context"
	"slices"
	"sync"
	"time"
)

// QueueConfig sets the two numbers of a queue that decide about redelivery.
type QueueConfig struct {
	// VisibilityTimeout is after how long a message that was received and not deleted is delivered again.
	VisibilityTimeout time.Duration
	// MaxReceives is how often a message is delivered before it moves to the dead letters; zero is without limit.
	MaxReceives int
}

// Message is a message of a queue.
type Message struct {
	ID       string
	Body     string
	Receives int // how often it has been received, this time included
	Sent     time.Time
	receipt  string
}

// Queue is a queue with the promises of Amazon SQS: every message at least once, in no promised order, again after
// the visibility timeout until it is deleted, and to the dead letters after too many receives.
type Queue struct {
	config QueueConfig
	mu     sync.Mutex
	held   []*heldMessage
	dead   []Message
	wake   chan struct{} // closed and replaced at every change
}

type heldMessage struct {
	Message
	visible time.Time
}

// NewQueue makes an empty queue.
func NewQueue(config QueueConfig) *Queue {
	return &Queue{config: config, wake: make(chan struct{})}
}

// Queue makes a queue that gets an S3 event for every record that the rule wants.
func (a *AWS) Queue(rule Notification, config QueueConfig) *Queue {
	q := NewQueue(config)
	a.Events.Subscribe(rule, func(r Record) { q.Send(S3Event(r)) })
	return q
}

// Send puts a message into the queue and returns its id.
func (q *Queue) Send(body []byte) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := &heldMessage{Message: Message{ID: uuid(), Body: string(body), Sent: time.Now()}}
	q.held = append(q.held, m)
	q.changed()
	return m.ID
}

// Receive waits for at least one message and returns up to most of them. They become visible again after the
// visibility timeout. The error is the context's.
func (q *Queue) Receive(ctx context.Context, most int) ([]Message, error) {
	for {
		got, next, wake := q.take(most)
		if len(got) > 0 {
			return got, nil
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wake:
		case <-timer:
		}
	}
}

// take receives what is visible; with nothing visible it tells when something will be, and what closes at a change.
func (q *Queue) take(most int) (got []Message, next time.Time, wake <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.bury(now)
	for _, m := range q.held {
		if m.visible.After(now) {
			if next.IsZero() || m.visible.Before(next) {
				next = m.visible
			}
			continue
		}
		if len(got) == most {
			break
		}
		m.Receives++
		m.receipt = uuid()
		m.visible = now.Add(q.config.VisibilityTimeout)
		got = append(got, m.Message)
	}
	return got, next, q.wake
}

// bury moves messages that were received too often to the dead letters, once they are visible again.
func (q *Queue) bury(now time.Time) {
	if q.config.MaxReceives == 0 {
		return
	}
	before := len(q.held)
	q.held = slices.DeleteFunc(q.held, func(m *heldMessage) bool {
		over := m.Receives >= q.config.MaxReceives && !m.visible.After(now)
		if over {
			q.dead = append(q.dead, m.Message)
		}
		return over
	})
	if len(q.held) != before {
		q.changed()
	}
}

// Delete removes the message, if this was its latest receive.
func (q *Queue) Delete(m Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = slices.DeleteFunc(q.held, func(h *heldMessage) bool { return h.ID == m.ID && h.receipt == m.receipt })
	q.changed()
}

// DeadLetters returns the messages that were given up.
func (q *Queue) DeadLetters() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.dead)
}

// Len is the number of messages that are neither deleted nor given up.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held)
}

// Settle waits until every message is deleted or given up. The error is the context's.
func (q *Queue) Settle(ctx context.Context) error {
	for {
		q.mu.Lock()
		left, wake := len(q.held), q.wake
		q.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		}
	}
}

// changed wakes everybody who waits. The caller holds the mutex.
func (q *Queue) changed() {
	close(q.wake)
	q.wake = make(chan struct{})
}
