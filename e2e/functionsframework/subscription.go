package functionsframework

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pgseal/pgseal/e2e/instance"
)

// SubscriptionConfig sets what decides about sending again.
type SubscriptionConfig struct {
	// Backoff is the pause before a message is sent again; Pub/Sub's own is 10 to 600 seconds.
	Backoff time.Duration
	// MaxAttempts is how often a message is sent before the dead-letter topic gets it; zero is without limit.
	MaxAttempts int
}

// Subscription pushes a topic's messages to a function, each as an event of Eventarc and with the promises of Pub/Sub: at
// least once, in no promised order, again after a while for every answer but 2xx.
type Subscription struct {
	instance.Backlog
	config  SubscriptionConfig
	fn      *Function
	ctx     context.Context
	stop    context.CancelFunc
	sending sync.WaitGroup

	mu   sync.Mutex
	dead []Message
}

// Subscribe makes a subscription that pushes to the function until Close.
func (f *Function) Subscribe(config SubscriptionConfig) *Subscription {
	ctx, stop := context.WithCancel(context.Background())
	return &Subscription{config: config, fn: f, ctx: ctx, stop: stop}
}

// Publish takes a message and sends it in the background.
func (s *Subscription) Publish(m Message) {
	s.Add()
	s.sending.Go(func() {
		defer s.Done()
		for attempt := 1; s.fn.Send(s.ctx, m.event(attempt)) != nil; attempt++ {
			if attempt == s.config.MaxAttempts {
				s.mu.Lock()
				s.dead = append(s.dead, m)
				s.mu.Unlock()
				return
			}
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(s.config.Backoff):
			}
		}
	})
}

// DeadLetters are the messages that were given up.
func (s *Subscription) DeadLetters() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dead)
}

// Dead counts them.
func (s *Subscription) Dead() int { return len(s.DeadLetters()) }

// Close ends the subscription, and what it is sending.
func (s *Subscription) Close() {
	s.stop()
	s.sending.Wait()
}
