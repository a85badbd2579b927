package finalizer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

func everywhere(t *testing.T, test func(t *testing.T, w *world)) {
	for _, p := range membucket.Personalities {
		t.Run(p.String(), func(t *testing.T) { test(t, newWorld(t, p)) })
	}
}

func TestASweepSealsWhatNoEventCameFor(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := w.uploaded("a"), w.uploaded("b")
		w.pass(time.Minute)
		if r := w.sweep(); r.Sealed != 2 || r.Servers != 2 || !r.Done {
			t.Errorf("%+v", r)
		}
		if w.state("a", a.ID()) != finalizer.Sealed || w.state("b", b.ID()) != finalizer.Sealed {
			t.Error("not sealed")
		}
		for _, c := range w.calls {
			if key, inVault := strings.CutPrefix(c.Key, "vault "); c.Changes() && inVault && !strings.HasSuffix(key, "/backup.info") {
				t.Errorf("the sweep wrote %v", c)
			}
			if key, ok := strings.CutPrefix(c.Key, "staging "); c.Changes() && ok && !strings.HasPrefix(key, "_pgseal/verdict/") && !strings.HasPrefix(key, "_pgseal/sweep/") {
				t.Errorf("the sweep wrote %v", c)
			}
		}
	})
}

func TestAWaitEndsWithItsWALOrItsDeadline(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		late, never := w.set("a"), w.set("b")
		for _, s := range []*settest.Set{late, never} {
			s.UploadArchives(t, w.vault.Bucket())
			s.UploadManifest(t, w.vault.Bucket())
		}
		if r := w.sweep(); r.Waiting != 2 {
			t.Errorf("%+v", r)
		}
		w.pass(time.Hour)
		late.UploadWAL(t, w.vault.Bucket())
		if r := w.sweep(); r.Waiting != 1 || r.Sealed != 1 {
			t.Errorf("%+v", r)
		}
		w.pass(72 * time.Hour)
		if r := w.sweep(); r.Rejected != 1 || w.state("b", never.ID()) != finalizer.Rejected {
			t.Errorf("%+v", r)
		}
		w.pass(2 * day)
		never.UploadWAL(t, w.vault.Bucket())
		if r := w.sweep(); r.Sealed != 1 || w.state("b", never.ID()) != finalizer.Sealed {
			t.Errorf("the archiver came back: %+v", r)
		}
	})
}

func TestASilentUploadIsAbandonedUntilItsManifestTurnsUp(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		silent, running, failed, bare := w.set("a"), w.set("b"), w.set("c"), w.set("d")
		w.record("a", silent.ID(), backupinfo.Started)
		w.heartbeat("a", silent.ID())
		silent.UploadArchives(t, w.vault.Bucket())
		w.record("c", failed.ID(), backupinfo.Failed)
		w.heartbeat("c", failed.ID())
		w.record("d", bare.ID(), backupinfo.Started) // and died before its first heartbeat
		w.record("b", running.ID(), backupinfo.Started)
		if r := w.sweep(); r.Abandoned != 0 {
			t.Errorf("%+v", r)
		}
		w.pass(31 * time.Minute)
		w.heartbeat("b", running.ID())
		if r := w.sweep(); r.Abandoned != 2 {
			t.Errorf("%+v", r)
		}
		if r := w.swept("a", silent.ID()); r.State != finalizer.Abandoned || r.Heartbeat == nil {
			t.Errorf("%+v", r)
		}
		if w.swept("d", bare.ID()).State != finalizer.Abandoned || w.swept("b", running.ID()).State != "" || w.swept("c", failed.ID()).State != "" {
			t.Error("the wrong ones are abandoned")
		}
		if w.state("a", silent.ID()) != "" {
			t.Error("a verdict was written")
		}
		w.pass(time.Hour)
		silent.UploadWAL(t, w.vault.Bucket())
		silent.UploadManifest(t, w.vault.Bucket())
		if r := w.sweep(); r.Sealed != 1 || w.state("a", silent.ID()) != finalizer.Sealed {
			t.Errorf("%+v", r)
		}
		if r := w.swept("a", silent.ID()); r.State != "" {
			t.Errorf("still %+v", r)
		}
	})
}

func TestNothingIsLookedAtTwiceWhenNothingChanged(t *testing.T) {
	w := newWorld(t, membucket.S3)
	for range 10 {
		w.sealed("a")
		w.pass(time.Hour)
	}
	w.sweep()
	first := len(w.calls)
	w.pass(time.Minute)
	r := w.sweep()
	if r.Looked > 1 || len(w.calls) > 20+first/8 {
		t.Errorf("%+v, %d requests after %d", r, len(w.calls), first)
	}
	w.pass(25 * time.Hour)
	if r := w.sweep(); r.Audited != 10 {
		t.Errorf("a day later: %+v", r)
	}
}

// The cost of a look is that of a Finalize and a listing, and of a run without
// anything to do a handful for each server.
func TestARunIsBoundedInItsRequests(t *testing.T) {
	w := newWorld(t, membucket.S3)
	for n := range 20 {
		w.sealed(fmt.Sprintf("s%02d", n))
	}
	w.pass(time.Hour)
	r := w.sweep()
	if most := 10 + 20*(8+25); len(w.calls) > most {
		t.Errorf("%d requests for 20 servers with a sealed backup each, want %d at most: %+v", len(w.calls), most, r)
	}
	w.pass(time.Second)
	w.sweep()
	if most := 10 + 20*8; len(w.calls) > most {
		t.Errorf("%d requests for 20 servers with nothing to do, want %d at most", len(w.calls), most)
	}
}

func TestAFloodAtOneServerStarvesNoOther(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		day := w.clock()
		for n := range 3000 {
			id := layout.BackupID(day.Add(-time.Duration(n) * time.Minute))
			w.create(layout.Manifest("flood", id), "{}")
			w.put(layout.Marker("flood", id), []byte("{}"))
			w.put(layout.Progress("flood", id), []byte("{}"))
		}
		quiet := w.uploaded("quiet")
		w.f.Limit(2000, 500, 20_000)
		r := w.sweep()
		if w.state("quiet", quiet.ID()) != finalizer.Sealed {
			t.Errorf("the quiet server's backup has no seal: %+v", r)
		}
		if r.Done || r.Requests > 2100 {
			t.Errorf("%+v", r)
		}
		for range 20 {
			w.pass(time.Second)
			r = w.sweep()
		}
		if !r.Done {
			t.Errorf("the flood was never worked off: %+v", r)
		}
	})
}

func TestTooManyNamesAreSaidAloud(t *testing.T) {
	w := newWorld(t, membucket.GCS)
	for n := range 50 {
		w.create(layout.BaseDir("flood")+fmt.Sprint("junk", n)+"/x", "x")
	}
	w.f.Limit(1000, 500, 40)
	w.sweep()
	if !strings.Contains(w.log.String(), `"code":"flood"`) {
		t.Error(w.log.String())
	}
}

func TestWhatNeedsMoreThanItsShareComesLastAndIsDone(t *testing.T) {
	w := newWorld(t, membucket.S3)
	large := w.set("a")
	large.Manifest.End.LSN += 300 << 20 // 300 segments, each a request
	w.lsn += 301 << 20
	large.Upload(t, w.vault.Bucket())
	small := w.uploaded("b")
	w.f.Limit(2000, 100, 1000)
	if r := w.sweep(); r.Sealed != 2 || !r.Done {
		t.Errorf("%+v", r)
	}
	last := ""
	for _, c := range w.calls {
		if c.Op == "create" {
			last = c.Key
		}
	}
	if last != "vault "+large.Key("backup.info") {
		t.Errorf("%s was sealed last, before it %s", last, small.ID())
	}
}

func TestARunThatIsCutShortIsGoneOnWith(t *testing.T) {
	w := newWorld(t, membucket.S3)
	ids := map[string]string{}
	for n := range 12 {
		server := fmt.Sprintf("s%02d", n)
		ids[server] = w.uploaded(server).ID()
	}
	w.f.Limit(120, 60, 1000)
	runs := 0
	for done := false; !done; runs++ {
		done = w.sweep().Done
		w.pass(time.Minute)
		if runs > 30 {
			t.Fatal("it never ends")
		}
	}
	if runs < 3 {
		t.Errorf("%d runs", runs)
	}
	for server, id := range ids {
		if w.state(server, id) != finalizer.Sealed {
			t.Errorf("%s is not sealed", server)
		}
	}
}

func TestASweepStopsBeforeTheDeadline(t *testing.T) {
	w := newWorld(t, membucket.S3)
	s := w.uploaded("a")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // less than what is kept back
	defer cancel()
	if r, err := w.f.Sweep(ctx); err != nil || r.Done || w.state("a", s.ID()) != "" {
		t.Errorf("%+v, %v", r, err)
	}
	if r := w.sweep(); r.Sealed != 1 {
		t.Errorf("%+v", r)
	}
}

func TestOneBackupThatFailsHoldsUpNoOther(t *testing.T) {
	w := newWorld(t, membucket.S3)
	bad, good := w.uploaded("a"), w.uploaded("b")
	w.f.Vault = w.vault.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if strings.HasPrefix(c.Key, bad.Key("")) {
			return membucket.Fault{Skip: true, Err: membucket.ErrServer}
		}
		return membucket.Fault{}
	}, false)
	r, err := w.f.Sweep(t.Context())
	var transient *finalizer.TransientError
	if !errors.As(err, &transient) || r.Failed != 1 || r.Sealed != 1 || w.state("b", good.ID()) != finalizer.Sealed {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWithoutTheRightToWriteItsCursorASweepSaysSo(t *testing.T) {
	w := newWorld(t, membucket.S3)
	w.f.Staging = w.staging.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Op == "put" {
			return membucket.Fault{Skip: true, Err: &bucket.Error{Kind: bucket.ErrDenied, Code: "403"}}
		}
		return membucket.Fault{}
	}, false)
	var access *finalizer.AccessError
	if _, err := w.f.Sweep(t.Context()); !errors.As(err, &access) || !strings.Contains(err.Error(), "_pgseal/sweep/.cursor.json") {
		t.Error(err)
	}
}

func TestForgedNotesCostNothingButLooks(t *testing.T) {
	w := newWorld(t, membucket.S3)
	s := w.uploaded("a")
	for _, body := range []string{"{", `{"format":1,"server":"a","backups":{"` + s.ID() + `":null}}`, strings.Repeat(" ", 9<<20), `{"format":1,"server":"b"}`} {
		w.put(layout.SweepNotes("a"), []byte(body))
		w.sweep()
	}
	if w.state("a", s.ID()) != finalizer.Sealed {
		t.Error("not sealed")
	}
}
