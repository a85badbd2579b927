package finalizer_test

import (
	"testing"
	"time"

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
