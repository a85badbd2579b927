package postgres

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A spread checkpoint takes minutes, more than any answer may, and the start
// holds the session for all of them.
func TestASessionThatIsAtWorkDoesNotCountAsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{}
		s.mu.Lock() // as Start does
		ctx, done := s.KeepAlive(t.Context(), KeepAliveInterval)
		time.Sleep(10 * answerTimeout)
		if ctx.Err() != nil {
			t.Errorf("given up: %v", context.Cause(ctx))
		}
		done()
		s.mu.Unlock()
	})
}
