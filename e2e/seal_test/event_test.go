package seal_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestAMarkerWakesTheFunctionAndTheSetIsSealed(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	for server, w := range map[string]way{"one": direct, "two": bridge, "three": queue} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
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
			stock := func(command string, args ...string) string {
				cmd := pgtest.Command(t.Context(), "/usr/bin/barman-cloud-backup-"+command, append([]string{"--endpoint-url", s.Endpoint, s.VaultURL(), server}, args...)...)
				cmd.Env = append(cmd.Env, s.Restore.Env()...)
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
	t.Parallel()
	s := begin(t, locked)
	t.Run("the same event three times", func(t *testing.T) {
		b := s.uploaded(t, "thrice")
		r := b.mark(t)
		for _, w := range []way{direct, queue, bridge} {
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
			for _, a := range localaws.AtOnce(t.Context(), s.fn.Invoke, 2, payload(direct, b.mark(t))) {
				if a.Err != nil {
					t.Error(a.Err)
				}
			}
			b.isSealed(t)
			if b.granted() != 1 {
				t.Errorf("%d seals were granted", b.granted())
			}
		}
		if s.fn.Starts() == starts {
			t.Error("they ran one after the other")
		}
	})
	t.Run("an older event after the set's own", func(t *testing.T) {
		b := s.uploaded(t, "order")
		older, newer := b.mark(t), b.mark(t)
		for _, r := range []localaws.Record{newer, older} {
			if err := s.wake(t, direct, r); err != nil {
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
		if err := s.wake(t, queue, r); err != nil {
			t.Fatal(err)
		}
		b.isNotSealed(t, want{})
		b.UploadManifest(t, s.host)
		if err := s.wake(t, queue, r); err != nil {
			t.Fatal(err)
		}
		b.isSealed(t)
	})
	t.Run("many sets in one batch, one of them broken", func(t *testing.T) {
		var records []localaws.Record
		var all []*backup
		for _, server := range []string{"batch1", "batch2", "batch3"} {
			b := s.uploaded(t, server)
			all, records = append(all, b), append(records, b.mark(t))
		}
		broken := s.backup("batch4")
		broken.UploadManifest(t, s.host) // no archive is listed
		records = append(records, broken.mark(t))
		if result := s.fn.Call(t.Context(), localaws.S3Event(records...)); result.Err != nil {
			t.Fatal(result.Err)
		}
		for _, b := range all {
			b.isSealed(t)
		}
		broken.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassManifest, "malformed", "manifest.json"})
	})
	t.Run("the marker's body decides nothing", func(t *testing.T) {
		b := s.uploaded(t, "body")
		r := b.markWith(t, []byte(`{"server":"thrice","backup_id":"../../x","manifest_sha256":"`+"\n"+`"}`))
		if err := s.wake(t, bridge, r); err != nil {
			t.Fatal(err)
		}
		b.isSealed(t)
	})
}

// The queue itself delivers again what failed, as long as it takes.
func TestAQueueDeliversAgainUntilTheSetIsSealed(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	q := s.Queue(s.Markers(), localaws.QueueConfig{VisibilityTimeout: 100 * time.Millisecond, MaxReceives: 50})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var drive sync.WaitGroup
	defer drive.Wait()
	defer cancel()
	drive.Go(func() { q.Drive(ctx, 10, s.fn.Invoke) })

	// Denied is not tried again within a call, so that every failure is a delivery of its own.
	denied := localaws.Statement{Sid: "Outage", Effect: localaws.Deny, Principal: []string{s.Finalizer.Name},
		Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::" + s.Vault + "/*"}}
	rules := s.Rules.Statements()
	if err := s.Rules.Add(denied); err != nil {
		t.Fatal(err)
	}
	var all []*backup
	for _, server := range []string{"q1", "q2", "q3"} {
		b := s.uploaded(t, server)
		b.mark(t)
		all = append(all, b)
	}
	refused := func() int {
		return len(s.Requests(localaws.By(s.Finalizer.Name), localaws.Operations("PutObject"), func(r localaws.Request) bool { return r.Status == 403 }))
	}
	for refused() < 6 {
		if ctx.Err() != nil {
			t.Fatal("the messages do not come again")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := s.Rules.Replace(rules...); err != nil {
		t.Fatal(err)
	}
	if err := q.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		b.isSealed(t)
	}
	if dead := q.DeadLetters(); len(dead) != 0 {
		t.Errorf("given up: %+v", dead)
	}
}
