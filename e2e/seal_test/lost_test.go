package seal_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// tries is how often the S3 driver sends one request before it gives up.
const tries = 5

// What can happen to the one request that matters, and how the story must end: right away, or after the event has come
// once more.
func TestTheSealingRequestGoesWrong(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	for _, c := range []struct {
		name   string
		server string
		action localaws.Action
		times  int
		kind   string // of the error of the first delivery; "" when there is none
	}{
		{"stored, and the answer is lost", "lost", localaws.LoseResponse, 1, ""},
		{"stored, and every answer is lost, the refusals too", "deaf", localaws.LoseResponse, tries, ""},
		{"lost before it was stored", "unsent", localaws.LoseRequest, 1, ""},
		{"lost before it was stored, every time", "mute", localaws.LoseRequest, tries, "TransientError"},
		{"409 ConditionalRequestConflict once", "conflict", localaws.Conflict, 1, ""},
		{"409 ConditionalRequestConflict as long as the function lives", "conflicts", localaws.Conflict, tries, "TransientError"},
		{"500 once", "internal", localaws.Internal, 1, ""},
		{"503 SlowDown as long as the function lives", "storm", localaws.SlowDown, tries, "TransientError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := s.uploaded(t, c.server)
			happened := s.Faults.Add(localaws.Fault{Identity: s.Finalizer.Name, Operation: "PutObject", Bucket: s.Vault,
				Key: "*/" + c.server + "/base/*", Action: c.action, Times: c.times})
			r := b.mark(t)
			err := s.wake(t, direct, r)
			if happened() != c.times {
				t.Fatalf("the fault happened %d times of %d", happened(), c.times)
			}
			if c.kind != "" {
				failsAs(t, err, c.kind, "backup.info", b.ID())
				b.isNotSealed(t, want{})
				err = s.wake(t, queue, r)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
	}
}

// A store that answers nothing else for a while: the function says so by the name that the platform and the alarms
// know, and the next delivery ends well.
func TestAStormOf503IsWaitedOut(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	b := s.uploaded(t, "main")
	r := b.mark(t)
	s.Faults.Add(localaws.Fault{Identity: s.Finalizer.Name, Action: localaws.SlowDown})
	failsAs(t, s.wake(t, direct, r), "TransientError", "503 SlowDown", "manifest.json")
	s.Faults.Clear()
	b.isNotSealed(t, want{})
	if err := s.wake(t, queue, r); err != nil {
		t.Fatal(err)
	}
	b.isSealed(t)
}

// The verdict is the last request. When it is lost the seal stands, and the next delivery makes the verdict anew.
func TestTheVerdictIsLost(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	b := s.uploaded(t, "main")
	r := b.mark(t)
	happened := s.Faults.Add(localaws.Fault{Identity: s.Finalizer.Name, Operation: "PutObject", Bucket: s.Staging, Action: localaws.SlowDown, Times: tries})
	failsAs(t, s.wake(t, direct, r), "TransientError", "_pgseal/verdict/main/")
	if happened() != tries || len(b.seals(t)) != 1 || b.verdict(t).State != "" {
		t.Fatalf("%d faults, %+v, %q", happened(), b.seals(t), b.verdict(t).State)
	}
	if err := s.wake(t, direct, r); err != nil {
		t.Fatal(err)
	}
	if v := b.isSealed(t); len(v.Findings) != 0 || v.Receipt.RetainUntil == nil || v.WAL.Segments != 2 {
		t.Errorf("%+v", v)
	}
	if b.granted() != 1 {
		t.Errorf("%d seals were granted", b.granted())
	}
}

// A function that has less time than it keeps spare stops by itself, and has written nothing.
func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	b := s.uploaded(t, "main")
	r := b.mark(t)
	s.fn.SetTimeout(1500 * time.Millisecond)
	failsAs(t, s.wake(t, direct, r), "TransientError", finalizer.ErrDeadline.Error())
	b.isNotSealed(t, want{})
}
