package finalizer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

func TestMinimumRetentionCountsFromEachObject(t *testing.T) {
	for name, test := range map[string]struct {
		lock, min time.Duration
		want      finalizer.State
	}{
		"as long as asked":  {time.Hour, time.Hour, finalizer.Sealed},
		"longer than asked": {2 * time.Hour, time.Hour, finalizer.Sealed},
		"too short":         {time.Hour, 2 * time.Hour, finalizer.Rejected},
		"none at all":       {0, time.Hour, finalizer.Rejected},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, test.lock)
			p.f.Config.MinRetention = test.min
			p.set.Upload(t, p.vault)
			if v := p.finalize(t); v.State != test.want || v.State == finalizer.Rejected && v.Class != finalizer.ClassRetention {
				t.Fatalf("%+v", v)
			}
		})
	}
}

// One part without a lock, and the receipt promises none.
func TestAReceiptPromisesNoMoreThanEveryPartHas(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Options.RetainUntil = time.Now().Add(time.Hour)
	p.set.UploadArchives(t, p.vault)
	p.set.UploadWAL(t, p.vault)
	p.set.Options.RetainUntil = time.Time{}
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed || v.Receipt.RetainUntil != nil {
		t.Fatalf("%+v", v)
	}
}

// The host locks for a day; at the seal everything is locked for ninety.
func TestTheSealExtendsTheLocksOfAllThatTheBackupNeeds(t *testing.T) {
	for _, p := range []membucket.Personality{membucket.S3, membucket.GCS} {
		w := newWorld(t, p)
		w.vault = membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: w.clock, Locked: true, Default: day})
		w.f.Vault = w.vault.Bucket()
		w.f.Config.SealRetention, w.f.Config.MinRetention = 90*day, 80*day
		w.f.Now = w.clock
		s := w.set("main")
		s.UploadArchives(t, w.vault.Bucket())
		s.UploadManifest(t, w.vault.Bucket())
		locked := func(want time.Duration) {
			t.Helper()
			for _, v := range w.vault.Everything("main/") {
				if left := v.RetainUntil.Sub(w.clock()); left < want-time.Minute || left > want+time.Minute {
					t.Errorf("%s: %s is locked for %s, want %s", p, v.Key, left, want)
				}
			}
		}
		if v, err := w.f.Finalize(t.Context(), "main", s.ID()); err != nil || v.State != finalizer.Waiting {
			t.Fatalf("%+v %v", v, err)
		}
		locked(day) // a backup that never comes to be leaves nothing locked for long
		s.UploadWAL(t, w.vault.Bucket())
		w.f.Vault = w.vault.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
			if c.Op == "create" { // dies between the locks and the seal
				return membucket.Fault{Skip: true, Err: membucket.ErrServer}
			}
			return membucket.Fault{}
		}, false)
		if _, err := w.f.Finalize(t.Context(), "main", s.ID()); err == nil {
			t.Fatal("no error")
		}
		w.f.Vault = w.vault.Bucket()
		v, err := w.f.Finalize(t.Context(), "main", s.ID())
		if err != nil || v.State != finalizer.Sealed || v.Receipt.RetainUntil.Sub(w.clock()) < 89*day || len(v.Findings) > 0 {
			t.Fatalf("%s: %+v %v", p, v, err)
		}
		locked(90 * day)
		w.pass(time.Hour)
		if r := w.sweep(); r.Tampered+r.Damaged > 0 {
			t.Errorf("%s: %+v", p, w.swept("main", s.ID()))
		}
	}
}

func TestWithoutTheRightToExtendLocksNothingIsSealed(t *testing.T) {
	w := newWorld(t, membucket.S3)
	w.f.Config.SealRetention = 90 * day
	s := w.uploaded("main")
	w.f.Vault = w.vault.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Op == "retain" {
			return membucket.Fault{Skip: true, Err: &bucket.Error{Kind: bucket.ErrDenied, Code: "403 AccessDenied"}}
		}
		return membucket.Fault{}
	}, false)
	var access *finalizer.AccessError
	if _, err := w.f.Finalize(t.Context(), "main", s.ID()); !errors.As(err, &access) || !strings.Contains(err.Error(), "extend the lock") {
		t.Error(err)
	}
	if len(w.vault.Everything(s.Key("backup.info"))) > 0 {
		t.Error("a seal was written")
	}
}
