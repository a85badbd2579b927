package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
)

func TestWhenItSweeps(t *testing.T) {
	done, failure := finalizer.SweepReport{Done: true}, errors.New("503")
	tests := []struct {
		name    string
		every   time.Duration
		reports []finalizer.SweepReport // of the sweeps in their order; then all are done
		errs    []error
		failed  []time.Duration // when calls of the finalizer fail
		want    []time.Duration // since the start
	}{
		{"at the start, and then every interval", time.Minute, nil, nil, nil, []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"soon after a call that failed", time.Hour, nil, nil, []time.Duration{time.Minute}, []time.Duration{0, time.Minute + soonest, time.Hour + time.Minute + soonest}},
		{"once for many calls that failed", time.Hour, nil, nil, []time.Duration{time.Minute, time.Minute + time.Second, time.Minute + 2*time.Second},
			[]time.Duration{0, time.Minute + soonest, time.Hour + time.Minute + soonest}},
		{"later than an interval never", time.Minute, nil, nil, []time.Duration{59 * time.Second}, []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"where one had to stop", time.Hour, []finalizer.SweepReport{{}, {}, done}, nil, nil, []time.Duration{0, soonest, 2 * soonest, 2*soonest + time.Hour}},
		{"less and less often while it fails", time.Minute, nil, []error{failure, failure, failure, failure, failure, failure}, nil,
			[]time.Duration{0, soonest, 3 * soonest, 7 * soonest, 15 * soonest, 15*soonest + time.Minute, 15*soonest + 2*time.Minute, 15*soonest + 3*time.Minute}},
		{"as often while both fail", time.Minute, nil, []error{failure, failure, failure}, []time.Duration{6 * time.Second, 7 * time.Second, 16 * time.Second},
			[]time.Duration{0, soonest, 3 * soonest, 7 * soonest, 7*soonest + time.Minute}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, stop := time.Now(), make(chan struct{})
				var swept []time.Duration
				s := newSweeper(func(context.Context) (finalizer.SweepReport, error) {
					n := len(swept)
					swept = append(swept, time.Since(begin))
					report, err := done, error(nil)
					if n < len(test.reports) {
						report = test.reports[n]
					}
					if n < len(test.errs) {
						err = test.errs[n]
					}
					if len(swept) == len(test.want) {
						close(stop)
					}
					return report, err
				}, test.every, newMetrics())
				for _, at := range test.failed {
					time.AfterFunc(at, s.soon)
				}
				s.run(t.Context(), stop, func(f func() error) error { return f() })
				if !slices.Equal(swept, test.want) {
					t.Errorf("swept at %v, and not at %v", swept, test.want)
				}
			})
		})
	}
}

func TestASweepThatPanicsIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, n := make(chan struct{}), 0
		s := newSweeper(func(context.Context) (finalizer.SweepReport, error) {
			if n++; n == 2 {
				close(stop)
			}
			return finalizer.SweepReport{Done: true}, nil
		}, time.Minute, newMetrics())
		s.run(t.Context(), stop, func(f func() error) error { return errors.Join(f(), errors.New("a mistake in pgseal")) })
		if n != 2 || s.metrics.values[sweepsTotal]["failed"] != 2 {
			t.Error(n, s.metrics.values[sweepsTotal])
		}
	})
}
