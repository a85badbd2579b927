package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgseal/pgseal/functions/wake"
)

func marker(server string, n int) wake.Object {
	return wake.Object{Bucket: "s3://staging", Key: fmt.Sprintf("p/_pgseal/complete/%s/%d", server, n)}
}

// slow is a finalizer whose calls take a second, and that notices two at once for one marker.
type slow struct {
	mu      sync.Mutex
	running map[wake.Object]bool
	most    int
	calls   int
	twice   bool
}

func (s *slow) finalize(ctx context.Context, o []wake.Object) ([]wake.Result, error) {
	s.mu.Lock()
	s.twice = s.twice || s.running[o[0]]
	s.running[o[0]] = true
	s.most = max(s.most, len(s.running))
	s.calls++
	n := s.calls
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, o[0])
	}()
	select {
	case <-time.After(time.Second):
		return []wake.Result{{BackupID: fmt.Sprint(n)}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newSlowQueue() (*queue, *slow) {
	s := &slow{running: map[wake.Object]bool{}}
	return newQueue(s.finalize), s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOneCallAtATimeForABackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := newSlowQueue()
		go q.run(t.Context())
		defer q.stop()
		o := marker("main", 1)
		first := must(q.add("main", o))
		synctest.Wait() // it has begun
		second, third := must(q.add("main", o)), must(q.add("main", o))
		if first == second || second != third {
			t.Error("who comes during a call shares the next one, and not the one that runs")
		}
		for n, c := range []*call{first, second, third} {
			r, err := q.wait(t.Context(), c, nil)
			if want := fmt.Sprint(min(n+1, 2)); err != nil || r[0].BackupID != want {
				t.Errorf("%d: %v, %v", n, r, err)
			}
		}
		if s.twice || s.calls != 2 || q.length() != 0 || len(q.servers) != 0 {
			t.Errorf("at once: %t, calls: %d, left: %d, %v", s.twice, s.calls, q.length(), q.servers)
		}
	})
}

func TestWhoComesWhileABackupWaitsSharesItsTurn(t *testing.T) {
	q, s := newSlowQueue()
	first, second := must(q.add("main", marker("main", 1))), must(q.add("main", marker("main", 1)))
	if first != second || q.length() != 1 || s.calls != 0 {
		t.Error(q.length(), s.calls)
	}
}

func TestSomeCallsAtOnceAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := newSlowQueue()
		go q.run(t.Context())
		defer q.stop()
		var calls []*call
		for n := range 3 * workers {
			calls = append(calls, must(q.add("main", marker("main", n))))
		}
		for _, c := range calls {
			must(q.wait(t.Context(), c, nil))
		}
		if s.most != workers || s.calls != len(calls) {
			t.Errorf("%d at once, %d calls", s.most, s.calls)
		}
	})
}

func TestAFullQueue(t *testing.T) {
	q, _ := newSlowQueue()
	for n := range maxPerServer {
		must(q.add("flood", marker("flood", n)))
	}
	if _, err := q.add("flood", marker("flood", maxPerServer)); !errors.Is(err, errFull) {
		t.Errorf("one server took more than its part: %v", err)
	}
	must(q.add("flood", marker("flood", 0))) // waits already
	must(q.add("main", marker("main", 0)))
	for n := q.length(); n < maxQueued; n++ {
		must(q.add(fmt.Sprint(n), marker(fmt.Sprint(n), 0)))
	}
	if _, err := q.add("last", marker("last", 0)); !errors.Is(err, errFull) {
		t.Errorf("it has no end: %v", err)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := newSlowQueue()
		work, cancel := context.WithCancel(t.Context())
		go q.run(work)
		running := must(q.add("main", marker("main", 0)))
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := q.wait(gone, running, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := q.wait(t.Context(), running, time.After(time.Millisecond)); !errors.Is(err, errLate) {
			t.Error(err)
		}
		if r, err := q.wait(t.Context(), running, nil); err != nil || len(r) != 1 {
			t.Errorf("who left took the call along: %v, %v", r, err)
		}

		var calls []*call
		for n := range 2 * workers {
			calls = append(calls, must(q.add("main", marker("main", n))))
		}
		synctest.Wait()
		q.stop()
		if _, err := q.add("main", marker("main", 100)); !errors.Is(err, errStopped) {
			t.Error(err)
		}
		var ended, dropped atomic.Int32
		var all sync.WaitGroup
		for _, c := range calls {
			all.Go(func() {
				switch _, err := q.wait(t.Context(), c, nil); {
				case err == nil:
					ended.Add(1)
				case errors.Is(err, errStopped):
					dropped.Add(1)
				}
			})
		}
		all.Wait()
		if ended.Load() != workers || dropped.Load() != workers || s.calls != 1+workers {
			t.Errorf("%d ended, %d dropped, %d calls", ended.Load(), dropped.Load(), s.calls)
		}
		cancel()
		<-q.stopped
	})
}
