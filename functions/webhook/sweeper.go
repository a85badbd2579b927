package main

import (
	"context"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
)

// soonest is the pause before the sweep that follows a failure, or goes on
// where one had to stop. It doubles with each sweep that fails, up to the
// interval.
const soonest = 5 * time.Second

// sweeper sweeps at once, then every interval, and sooner after a call of the
// finalizer failed: most servers send an event once, or not again for long.
type sweeper struct {
	sweep   func(context.Context) (finalizer.SweepReport, error)
	every   time.Duration
	failed  chan struct{} // one place: a call of the finalizer failed
	metrics *metrics
}

func newSweeper(sweep func(context.Context) (finalizer.SweepReport, error), every time.Duration, m *metrics) *sweeper {
	return &sweeper{sweep: sweep, every: every, failed: make(chan struct{}, 1), metrics: m}
}

// soon has the next sweep come early.
func (s *sweeper) soon() {
	select {
	case s.failed <- struct{}{}:
	default:
	}
}

// run sweeps until stop is closed; the context ends a sweep that runs.
func (s *sweeper) run(ctx context.Context, stop <-chan struct{}, guard func(func() error) error) {
	failures := 0
	for {
		select {
		case <-stop:
			return
		default:
		}
		var report finalizer.SweepReport
		err := guard(func() (err error) {
			report, err = s.sweep(ctx)
			return err
		})
		s.metrics.swept(report, err, time.Now())
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		if !s.pause(stop, s.after(report, err, failures), failures) {
			return
		}
	}
}

// after is how long the next sweep can wait.
func (s *sweeper) after(report finalizer.SweepReport, err error, failures int) time.Duration {
	if err == nil && report.Done {
		return s.every
	}
	return s.backoff(failures)
}

func (s *sweeper) backoff(failures int) time.Duration {
	wait := soonest
	for n := 1; n < failures && wait < s.every; n++ {
		wait *= 2
	}
	return min(wait, s.every)
}

// pause waits, and no longer than a failure allows that is told meanwhile; false
// is the end.
func (s *sweeper) pause(stop <-chan struct{}, wait time.Duration, failures int) bool {
	end := time.Now().Add(wait)
	for {
		timer := time.NewTimer(time.Until(end))
		select {
		case <-stop:
			timer.Stop()
			return false
		case <-timer.C:
			return true
		case <-s.failed:
			timer.Stop()
			if early := time.Now().Add(s.backoff(failures)); early.Before(end) {
				end = early
			}
		}
	}
}
