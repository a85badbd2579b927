package finalizer

import (
	"context"
	"sync"
	"time"
)

// Requests for single objects: inFlight of them run at the same time, and no more
// than perSecond begin in a second. S3 answers 503 beyond 5,500 reads a second
// and prefix ("Optimizing Amazon S3 performance" in the S3 user guide), which a
// store at 20 ms would reach with 110 in flight, and one at 100 ms with 550.
const (
	inFlight  = 256
	perSecond = 5000
)

// each calls fn for 0 to n-1, with those limits, and gives the first error, after
// which no further call begins.
func each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(inFlight, n) {
		wg.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := fn(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	turn := time.Now()
	for i := 0; i < n && ctx.Err() == nil; i++ {
		if i >= inFlight { // so many are no burst that a store would mind
			turn = turn.Add(time.Second / perSecond)
			time.Sleep(time.Until(turn))
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
