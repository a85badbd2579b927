package chaos_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// typical is how long a backup takes that nobody disturbs.
func (s *scene) typical(t *testing.T) time.Duration {
	t.Helper()
	return s.backup(t, "--no-wait").want(t, 0).took
}

// disturb lets a tenth of all requests fail, in one of five ways, and kills the function while it works, until stop.
func (s *scene) disturb(t *testing.T) (stop func()) {
	luck := rand.New(rand.NewPCG(s.luck.Uint64(), s.luck.Uint64()))
	oneIn := func(n int) func() bool { return func() bool { return luck.IntN(n) == 0 } }
	// The function is at work when it asks for something: it dies a moment later.
	var killing sync.WaitGroup
	s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Luck: func() bool {
		if luck.IntN(10) == 0 {
			s.killed.Add(1)
			moment := time.Duration(luck.IntN(20)) * time.Millisecond
			killing.Go(func() { time.Sleep(moment); s.fn.Kill() })
		}
		return false
	}})
	happened := map[cloud.Action]func() int{}
	for _, who := range []string{cloud.Host, cloud.Finalizer} {
		for _, f := range []cloud.Fault{
			{Action: cloud.Conflict, Op: cloud.Create}, {Action: cloud.TooMany}, {Action: cloud.SlowDown}, {Action: cloud.LoseResponse}, {Action: cloud.LoseRequest},
		} {
			f.Identity, f.Luck = who, oneIn(40)
			if f.Op != "" {
				f.Luck = oneIn(20)
			}
			before, count := happened[f.Action], s.Faulty().Add(f)
			happened[f.Action] = func() int {
				if before == nil {
					return count()
				}
				return before() + count()
			}
		}
	}
	return func() {
		s.Faulty().Clear()
		killing.Wait()
		for action, count := range happened {
			t.Logf("%s: %d times", action, count())
		}
		t.Logf("the function was killed %d times, and started %d times", s.killed.Load(), s.fn.Starts())
	}
}

// interrupt takes backups until enough of them have died of SIGKILL. In between PostgreSQL is restarted, and the sweep
// runs, and may be killed as well. Every fifth backup and some at the end are left alone, but for the store's faults, for
// the function to have something to die at.
func (s *scene) interrupt(t *testing.T, calm time.Duration) {
	t.Helper()
	restart := map[int]bool{}
	for len(restart) < restarts {
		restart[s.luck.IntN(kills)] = true
	}
	died, survived := 0, 0
	for died < kills {
		if restart[died] {
			delete(restart, died)
			s.restart(t, calm, died%2 == 0)
		}
		s.write()
		b := start(t, s.backupCommand(t, "--no-wait"))
		select {
		case <-b.ended: // before its time
		case <-time.After(time.Duration(s.luck.Int64N(int64(calm)))):
			_ = b.cmd.Process.Signal(syscall.SIGKILL)
		}
		if b.wait(t).code == -1 {
			died++
		} else if survived++; survived > 4*kills {
			t.Fatalf("%d backups ended before they could be killed", survived)
		}
		if (died+survived)%5 == 0 {
			s.backup(t, "--no-wait")
		}
		if (died+survived)%4 == 0 {
			sweep := start(t, s.command(t, cloud.Finalizer, "sweep", s.VaultURL()))
			if s.luck.IntN(2) == 0 {
				time.Sleep(time.Duration(s.luck.IntN(500)) * time.Millisecond)
				_ = sweep.cmd.Process.Signal(syscall.SIGKILL)
			}
			sweep.wait(t)
		}
	}
	for n := 0; s.killed.Load() < 5; n++ {
		if n == 20 {
			t.Fatal("the function was hardly killed")
		}
		s.backup(t, "--no-wait")
		if err := s.trigger.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d backups got SIGKILL in their course, and %d ended before it came", died, survived)
}

// restart restarts PostgreSQL in the middle of a backup, in order or by SIGKILL. The backup ends by itself.
func (s *scene) restart(t *testing.T, calm time.Duration, kill bool) {
	t.Helper()
	b := start(t, s.backupCommand(t, "--no-wait"))
	time.Sleep(time.Duration(s.luck.Int64N(int64(calm))))
	if kill {
		s.source.Kill9()
	} else {
		s.source.Stop()
	}
	s.source.Start()
	if o := b.wait(t); o.code < 0 {
		t.Errorf("the backup died of a signal\n%s", o.all)
	}
}

// settle lets the events be delivered and the heartbeats of the killed grow old, and sweeps until nothing changes any
// more.
func (s *scene) settle(t *testing.T) {
	t.Helper()
	s.source.ArchiveAll()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := s.trigger.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	var report finalizer.SweepReport
	defer func() {
		if t.Failed() {
			open, err := s.OpenUploads(context.Background())
			t.Logf("the last sweep: %+v; open uploads: %q, %v", report, open, err)
		}
	}()
	s.until(t, "everything to be settled", func() bool {
		r, o := s.sweep(t)
		report = r
		if o.code != 0 || r.Failed > 0 {
			t.Fatalf("%d\n%s", o.code, o.all)
		}
		for _, b := range s.status(t).Backups {
			switch b.State {
			case "running", "complete", "waiting", "unsealed":
				return false
			}
		}
		uploads, err := s.OpenUploads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Kind.Name != clouds.AWS.Name || len(uploads) == 0
	})
}

func (s *scene) until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !happened(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s: %+v", what, s.status(t).Backups)
		}
	}
}
