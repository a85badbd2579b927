package instance

import (
	"context"
	"sync"
)

// Backlog counts what is on its way to a function.
type Backlog struct {
	mu   sync.Mutex
	left int
	done chan struct{} // closed when nothing is left
}

// Add counts one more.
func (b *Backlog) Add() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		b.done = make(chan struct{})
	}
	b.left++
}

// Done counts one less: it was taken, or given up.
func (b *Backlog) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left--
	if b.left == 0 {
		close(b.done)
	}
}

// Settle waits until nothing is left. The error is the context's.
func (b *Backlog) Settle(ctx context.Context) error {
	b.mu.Lock()
	left, done := b.left, b.done
	b.mu.Unlock()
	if left == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
		return b.Settle(ctx) // more may have come
	}
}
