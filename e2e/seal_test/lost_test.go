package seal_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// What can happen to the one request that matters, and how the story must end: right away, or after the event has come
// once more.
func TestTheSealingRequestGoesWrong(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for _, c := range []struct {
			name   string
			server string
			action cloud.Action
			times  int
			kind   string // of the error of the first delivery; "" when there is none
		}{
			{"stored, and the answer is lost", "lost", cloud.LoseResponse, 1, ""},
			{"stored, and every answer is lost, the refusals too", "deaf", cloud.LoseResponse, k.Tries, ""},
			{"lost before it was stored", "unsent", cloud.LoseRequest, 1, ""},
			{"lost before it was stored, every time", "mute", cloud.LoseRequest, k.Tries, "TransientError"},
			{"not decided by the store, once", "conflict", cloud.Conflict, 1, ""},
			{"not decided by the store, as long as the function lives", "conflicts", cloud.Conflict, k.Tries, "TransientError"},
			{"the store fails once", "internal", cloud.Internal, 1, ""},
			{"the store asks to slow down, as long as the function lives", "storm", cloud.SlowDown, k.Tries, "TransientError"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.uploaded(t, c.server)
				happened := s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Op: cloud.Create, Bucket: s.VaultName(),
					Key: "*/" + c.server + "/base/*", Action: c.action, Times: c.times})
				r := b.mark(t)
				err := s.wake(t, s.direct(), r)
				// On Azure who may only add is denied where a blob is, and what is denied meets no fault.
				if n := happened(); n != c.times && (k.Name != clouds.Azure.Name || n == 0) {
					t.Fatalf("the fault happened %d times of %d", happened(), c.times)
				}
				if c.kind != "" {
					s.fails(t, err, c.kind, "backup.info", b.ID())
					b.isNotSealed(t, want{})
					err = s.wake(t, s.queue(), r)
				}
				if err != nil {
					t.Fatal(err)
				}
				b.isSealed(t)
			})
		}
	})
}

// A store that answers nothing else for a while: the function says so by the name that the platform and the alarms
// know, and the next delivery ends well.
func TestAStormIsWaitedOut(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		r := b.mark(t)
		s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Action: cloud.SlowDown})
		s.fails(t, s.wake(t, s.direct(), r), "TransientError", "manifest.json")
		s.Faulty().Clear()
		b.isNotSealed(t, want{})
		if err := s.wake(t, s.queue(), r); err != nil {
			t.Fatal(err)
		}
		b.isSealed(t)
	})
}

// The verdict is the last request. When it is lost the seal stands, and the next delivery makes the verdict anew.
func TestTheVerdictIsLost(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		r := b.mark(t)
		happened := s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Op: cloud.Create, Bucket: s.StagingName(), Action: cloud.SlowDown, Times: k.Tries})
		s.fails(t, s.wake(t, s.direct(), r), "TransientError", "_pgseal/verdict/main/")
		if happened() != k.Tries || len(b.seals(t)) != 1 || b.verdict(t).State != "" {
			t.Fatalf("%d faults, %+v, %q", happened(), b.seals(t), b.verdict(t).State)
		}
		if err := s.wake(t, s.direct(), r); err != nil {
			t.Fatal(err)
		}
		if v := b.isSealed(t); len(v.Findings) != 0 || v.Receipt.RetainUntil == nil || v.WAL.Segments != 2 {
			t.Errorf("%+v", v)
		}
		if b.granted() != 1 {
			t.Errorf("%d seals were granted", b.granted())
		}
	})
}

// A function whose time is nearly used up stops by itself, and has written nothing.
func TestTimeRunsOut(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked, "PGSEAL_DEADLINE=5s")
		b := s.uploaded(t, "main")
		e := b.mark(t)
		s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Op: cloud.List, Bucket: s.VaultName(), Action: cloud.Slow, Delay: 10 * time.Second})
		s.fails(t, s.wake(t, s.direct(), e), "TransientError", finalizer.ErrDeadline.Error())
		b.isNotSealed(t, want{})
	})
}

// Lambda tells a function how much time it has.
func TestLambdasTimeRunsOut(t *testing.T) {
	t.Parallel()
	s := begin(t, clouds.AWS, locked)
	b := s.uploaded(t, "main")
	e := b.mark(t)
	s.fn.SetTimeout(1500 * time.Millisecond)
	s.fails(t, s.wake(t, s.direct(), e), "TransientError", finalizer.ErrDeadline.Error())
	b.isNotSealed(t, want{})
}
