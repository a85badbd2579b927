package functionshost

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pgseal/pgseal/e2e/instance"
)

// Queue is a storage queue whose messages a function of the host takes, with the settings of host.json: at least once,
// up to batchSize and newBatchThreshold of them at a time, again after the visibility timeout when the function fails,
// and into the poison queue after maxDequeueCount tries.
type Queue struct {
	instance.Backlog
	host     *Host
	function string
	again    time.Duration
	ctx      context.Context
	stop     context.CancelFunc
	working  sync.WaitGroup
	slots    chan struct{}

	mu     sync.Mutex
	poison []Message
}

// Message is a message of a queue.
type Message struct {
	ID           string
	Text         string // as it lies in the queue
	DequeueCount int
	inserted     time.Time
}

// Queue makes the queue of a function with a queue trigger, until Close. A positive again is used in place of the
// visibility timeout of host.json.
func (h *Host) Queue(function string, again time.Duration) (*Queue, error) {
	if h.triggers[function].Type != "queueTrigger" {
		return nil, fmt.Errorf("function %q has no queue trigger", function)
	}
	s := h.settings.Extensions.Queues
	if again == 0 && s.VisibilityTimeout != "" {
		again, _ = timeSpan(s.VisibilityTimeout) // checked by New
	}
	batch := valueOr(s.BatchSize, 16)
	ctx, stop := context.WithCancel(context.Background())
	return &Queue{
		host: h, function: function, again: again, ctx: ctx, stop: stop,
		slots: make(chan struct{}, batch+valueOr(s.NewBatchThreshold, batch/2)),
	}, nil
}

func valueOr(p *int, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return *p
}

// Deliver puts an event into the queue as Event Grid does, in base64.
func (q *Queue) Deliver(event []byte) { q.Put(base64.StdEncoding.EncodeToString(event)) }

// Put puts a message into the queue, and the function takes it in the background.
func (q *Queue) Put(text string) {
	m := Message{ID: newID(), Text: text, inserted: time.Now()}
	q.Add()
	q.working.Go(func() {
		defer q.Done()
		for q.taken(&m) != nil {
			if most := valueOr(q.host.settings.Extensions.Queues.MaxDequeueCount, 5); m.DequeueCount >= most {
				q.host.Logf("Message has reached MaxDequeueCount of %d. Moving message to queue '%s-poison'.", most, q.host.triggers[q.function].QueueName)
				q.mu.Lock()
				q.poison = append(q.poison, m)
				q.mu.Unlock()
				return
			}
			select {
			case <-q.ctx.Done():
				return
			case <-time.After(q.again):
			}
		}
	})
}

// taken invokes the function for a message, when it is its turn.
func (q *Queue) taken(m *Message) error {
	select {
	case <-q.ctx.Done():
		return q.ctx.Err()
	case q.slots <- struct{}{}:
	}
	defer func() { <-q.slots }()
	m.DequeueCount++
	text := []byte(m.Text)
	if encoding := q.host.settings.Extensions.Queues.MessageEncoding; encoding == "" || encoding == "base64" {
		decoded, err := base64.StdEncoding.DecodeString(m.Text)
		if err != nil {
			return fmt.Errorf("the message is not base64: %w", err)
		}
		text = decoded
	}
	_, err := q.host.invoke(q.ctx, q.function, Text(text), map[string]any{
		"DequeueCount": fmt.Sprint(m.DequeueCount), "Id": m.ID, "InsertionTime": m.inserted.UTC(), "ExpirationTime": m.inserted.UTC().Add(7 * 24 * time.Hour),
		"NextVisibleTime": time.Now().UTC().Add(10 * time.Minute), "PopReceipt": newID(), "QueueTrigger": string(text),
	})
	return err
}

// Poison are the messages that were given up.
func (q *Queue) Poison() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.poison)
}

// Dead counts them.
func (q *Queue) Dead() int { return len(q.Poison()) }

// Close ends the queue, and the invocations for it.
func (q *Queue) Close() {
	q.stop()
	q.working.Wait()
}
