package seal_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestAMarkerWakesTheFunctionAndTheSetIsSealed(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for n, w := range k.Ways {
			t.Run(string(w), func(t *testing.T) {
				t.Parallel()
				server := fmt.Sprint("way", n)
				b := s.uploaded(t, server)
				if err := s.wake(t, w, b.mark(t)); err != nil {
					t.Fatal(err)
				}
				v := b.isSealed(t)
				if !v.WAL.Checked || v.WAL.Segments != 2 || v.Receipt.Objects != 3 || b.granted() != 1 {
					t.Errorf("%+v", v)
				}
				if until := v.Receipt.RetainUntil; until == nil || time.Until(*until) < 23*time.Hour || time.Until(*until) > 24*time.Hour+time.Second {
					t.Errorf("retained until %v", until)
				}
				if k.Stock == nil {
					return
				}
				stock := func(command string, args ...string) string {
					cmd := pgtest.Command(t.Context(), "/usr/bin/barman-cloud-backup-"+command, slices.Concat(k.Stock(s.Store), []string{s.VaultURL(), server}, args)...)
					cmd.Env = append(cmd.Env, s.Env(cloud.Restore)...)
					out, err := cmd.CombinedOutput()
					if err != nil {
						t.Fatalf("barman-cloud-backup-%s: %v\n%s", command, err, out)
					}
					return string(out)
				}
				has(t, stock("list"), b.ID(), "000000010000000000000003")
				has(t, stock("show", b.ID()), b.ID(), "DONE", "/srv/ts one", "000000010000000000000004")
			})
		}
	})
}

// has fails the test unless every word is in the text.
func has(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !bytes.Contains([]byte(text), []byte(w)) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

func TestEventsRepeatRaceAndComeOutOfOrder(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		t.Run("the same event several times", func(t *testing.T) {
			b := s.uploaded(t, "thrice")
			r := b.mark(t)
			for _, w := range slices.Concat(k.Ways, k.Ways[:1]) {
				if err := s.wake(t, w, r); err != nil {
					t.Fatal(err)
				}
			}
			b.isSealed(t)
			if b.granted() != 1 {
				t.Errorf("%d seals were granted", b.granted())
			}
		})
		t.Run("two at once, in two processes, ten times over", func(t *testing.T) {
			starts := s.fn.Starts()
			for n := range 10 {
				b := s.uploaded(t, "race"+string(rune('a'+n)))
				e := b.mark(t)
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() {
						if err := s.fn.Deliver(t.Context(), s.direct(), e); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
				b.isSealed(t)
				if b.granted() != 1 {
					t.Errorf("%d seals were granted", b.granted())
				}
			}
			if k.Name != clouds.Azure.Name && s.fn.Starts() == starts { // where one process has all invocations
				t.Error("they ran one after the other")
			}
		})
		t.Run("an older event after the set's own", func(t *testing.T) {
			b := s.uploaded(t, "order")
			older, newer := b.mark(t), b.mark(t)
			for _, r := range []cloud.Event{newer, older} {
				if err := s.wake(t, s.direct(), r); err != nil {
					t.Fatal(err)
				}
			}
			b.isSealed(t)
		})
		t.Run("before the manifest there is nothing to do, and the event may come again", func(t *testing.T) {
			b := s.backup("early")
			b.UploadArchives(t, s.host)
			b.UploadWAL(t, s.host)
			r := b.mark(t)
			if err := s.wake(t, s.queue(), r); err != nil {
				t.Fatal(err)
			}
			b.isNotSealed(t, want{})
			b.UploadManifest(t, s.host)
			if err := s.wake(t, s.queue(), r); err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
		t.Run("many sets in one batch, one of them broken", func(t *testing.T) {
			var events []cloud.Event
			var all []*backup
			for _, server := range []string{"batch1", "batch2", "batch3"} {
				b := s.uploaded(t, server)
				all, events = append(all, b), append(events, b.mark(t))
			}
			broken := s.backup("batch4")
			broken.UploadManifest(t, s.host) // no archive is listed
			events = append(events, broken.mark(t))
			if err := s.fn.Deliver(t.Context(), s.direct(), events...); err != nil {
				t.Fatal(err)
			}
			for _, b := range all {
				b.isSealed(t)
			}
			broken.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassManifest, "malformed", "manifest.json"})
		})
		t.Run("the marker's body decides nothing", func(t *testing.T) {
			b := s.uploaded(t, "body")
			r := b.markWith(t, []byte(`{"server":"thrice","backup_id":"../../x","manifest_sha256":"`+"\n"+`"}`))
			if err := s.wake(t, s.Ways[1%len(s.Ways)], r); err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
	})
}

// The queue itself delivers again what failed, as long as it takes.
func TestAQueueDeliversAgainUntilTheSetIsSealed(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		trigger := s.Connect(t, s.fn, 100*time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		// Denied is not tried again within a call, so that every failure is a delivery of its own.
		restore := s.deny(t, cloud.ToCreate, "*")
		var all []*backup
		for _, server := range []string{"q1", "q2", "q3"} {
			b := s.backup(server)
			b.Upload(t, s.host)
			b.mark(t)
			all = append(all, b)
		}
		refused := func() int {
			return len(s.Requests(cloud.By(cloud.Finalizer), cloud.Ops(cloud.Create), func(r cloud.Request) bool { return r.Status == 403 }))
		}
		for refused() < 6 {
			if ctx.Err() != nil {
				t.Fatal("the messages do not come again")
			}
			time.Sleep(5 * time.Millisecond)
		}
		restore()
		if err := trigger.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			b.isSealed(t)
		}
		if trigger.Dead() != 0 {
			t.Errorf("%d are given up", trigger.Dead())
		}
	})
}
