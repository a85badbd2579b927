package seal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// The function is killed at each of its requests in turn, before the store has seen the request and after the store has
// done what it asks. Whenever it happens, the next delivery ends with the seal that an undisturbed run writes.
func TestTheFunctionDiesAtAnyOfItsRequests(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		clean := s.uploaded(t, "clean")
		s.ForgetRequests()
		clean.finalize(t)
		clean.isSealed(t)
		requests := len(s.Requests(cloud.By(cloud.Finalizer)))
		if requests < 10 {
			t.Fatalf("one run takes %d requests?", requests)
		}
		t.Logf("%d requests", requests)
		before := cloud.Fault{Action: cloud.Slow, Delay: time.Minute} // ends when the client is gone, and passes nothing on
		after := cloud.Fault{Action: cloud.LoseResponse}
		for when, fault := range map[string]cloud.Fault{"before": before, "after": after} {
			t.Run(when, func(t *testing.T) {
				t.Parallel()
				s := begin(t, k, locked)
				for k := range requests {
					b := s.uploaded(t, fmt.Sprint("dies", k))
					r := b.mark(t)
					fault.Identity, fault.After, fault.Times = cloud.Finalizer, k, 1
					b.killedAt(t, fault, r)
					s.Faulty().Clear()
					if n := len(b.seals(t)); n > 1 {
						t.Fatalf("killed %s request %d: %d seals", when, k+1, n)
					}
					if err := s.wake(t, s.queue(), r); err != nil {
						t.Fatalf("killed %s request %d, and the next delivery: %v", when, k+1, err)
					}
					b.isSealed(t)
					if b.granted() > 1 || len(b.verdict(t).Findings) > 0 {
						t.Errorf("killed %s request %d: %d seals granted, %+v", when, k+1, b.granted(), b.verdict(t).Findings)
					}
				}
			})
		}
	})
}

// killedAt delivers the event and kills the function when the fault happens.
func (b *backup) killedAt(t *testing.T, fault cloud.Fault, r cloud.Event) {
	t.Helper()
	happened := b.s.Faulty().Add(fault)
	stuck := fault // and nothing after that, so that it cannot end before it is killed
	stuck.Action, stuck.Delay, stuck.Times = cloud.Slow, time.Minute, 0
	b.s.Faulty().Add(stuck)
	done := make(chan error, 1)
	go func() { done <- b.s.wake(t, b.s.direct(), r) }()
	for happened() == 0 {
		select {
		case err := <-done:
			t.Fatalf("it ended before it could be killed: %v", err)
		case <-time.After(200 * time.Microsecond):
		}
	}
	b.s.fn.Kill()
	if err := <-done; err != nil {
		t.Log(err)
	}
}

// Of two equal sets in two vaults the seals differ in the digest of the manifests, which hold the objects' versions:
// nothing of the finalizer's clock or luck is in the bytes.
func TestAnyTwoFunctionsWriteTheSameBytes(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		var seals [][]byte
		hour := time.Now().UTC().Truncate(time.Hour)
		for range 2 {
			s := begin(t, k, locked)
			b := s.backup("main")
			b.Manifest.Begin.Time = hour.Add(-time.Hour)
			b.Manifest.End.Time = b.Manifest.Begin.Time.Add(time.Minute)
			b.Manifest.BackupID = layout.BackupID(b.Manifest.Begin.Time)
			b.Relabel()
			b.Upload(t, s.host)
			b.finalize(t)
			b.isSealed(t)
			var rest [][]byte
			for line := range bytes.Lines(b.sealBody(t)) {
				if !strings.HasPrefix(string(line), "# pgseal manifest_sha256=") { // the versions of the objects are in there
					rest = append(rest, line)
				}
			}
			seals = append(seals, bytes.Join(rest, nil))
		}
		if !bytes.Equal(seals[0], seals[1]) {
			t.Errorf("%s\n---\n%s", seals[0], seals[1])
		}
	})
}
