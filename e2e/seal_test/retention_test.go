package seal_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

func TestTheMinimumRetention(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		short := want{finalizer.Rejected, finalizer.ClassRetention, "retention", "/manifest.json"}
		unlocked := want{finalizer.Rejected, finalizer.ClassRetention, "unlocked", "/manifest.json"}
		for name, c := range map[string]struct {
			vault time.Duration // default retention
			least string
			want  want // zero: sealed
		}{
			"the vault's default is as long as asked":                   {24 * time.Hour, "24h", want{}},
			"the default is too short":                                  {24 * time.Hour, "25h", short},
			"days are understood":                                       {24 * time.Hour, "2d", short},
			"the vault has no default":                                  {0, "1h", unlocked},
			"the vault has no default, and nothing is asked":            {0, "", want{}},
			"the vault has no default, and explicitly nothing is asked": {0, "0", want{}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := begin(t, k, cloud.Config{VaultRetention: c.vault}, "PGSEAL_MIN_RETENTION="+c.least)
				b := s.uploaded(t, "main")
				b.finalize(t)
				if c.want != (want{}) {
					b.isNotSealed(t, c.want)
					return
				}
				if v := b.isSealed(t); (v.Receipt.RetainUntil != nil) != (c.vault > 0) {
					t.Errorf("%+v", v.Receipt)
				}
			})
		}
	})
}

// A host that locks each object itself and says so in the manifest gets a seal with the same lock; one that does not say
// so gets a finding on the seal.
func TestLocksThatTheHostAsksFor(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		if !k.ObjectLocks {
			return
		}
		s := begin(t, k, cloud.Config{HostMaySetRetention: true}, "PGSEAL_MIN_RETENTION=1h")
		until := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
		said := s.backup("said")
		said.Options.RetainUntil, said.Manifest.RetainUntil = until, &until
		said.Upload(t, s.host)
		said.finalize(t)
		if v := said.isSealed(t); len(v.Findings) > 0 || v.Receipt.RetainUntil == nil || !v.Receipt.RetainUntil.Equal(until) {
			t.Errorf("%+v", v)
		}
		if obj, err := s.damage.Stat(t.Context(), said.Key("backup.info"), ""); err != nil || !obj.RetainUntil.Equal(until) {
			t.Errorf("the seal is locked until %v: %v", obj.RetainUntil, err)
		}

		unsaid := s.backup("unsaid")
		unsaid.Options.RetainUntil = until
		unsaid.Upload(t, s.host)
		unsaid.finalize(t)
		if v := unsaid.isSealed(t); len(v.Findings) != 1 || v.Findings[0].Code != "unlocked" || v.Findings[0].Object != unsaid.Key("backup.info") {
			t.Errorf("%+v", v.Findings)
		}

		lied := s.backup("lied")
		longer := until.Add(time.Hour)
		lied.Options.RetainUntil, lied.Manifest.RetainUntil = until, &longer
		lied.Upload(t, s.host)
		lied.finalize(t)
		lied.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassRetention, "retention", "/manifest.json"})
	})
}

// A finalizer that may not see locks says that it cannot see. It never takes that for "not locked", and never seals what
// must be locked. Only Amazon S3 has a right of its own for that.
func TestALockThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	s := begin(t, clouds.AWS, locked, "PGSEAL_MIN_RETENTION=1h")
	restore := s.deny(t, cloud.ToSeeRetention, "*")
	b := s.uploaded(t, "main")
	e := b.mark(t)
	s.fails(t, s.wake(t, s.direct(), e), "AccessError", finalizer.ErrCannotSee.Error())
	if err := s.wake(t, s.queue(), e); err == nil {
		t.Error("the message was taken from the queue")
	}
	b.isNotSealed(t, want{})
	restore()
	if err := s.wake(t, s.queue(), e); err != nil {
		t.Fatal(err)
	}
	b.isSealed(t)
}

// Where no lock is asked for, none has to be seen, and the receipt promises none.
func TestALockThatCannotBeSeenAndNeedNot(t *testing.T) {
	t.Parallel()
	s := begin(t, clouds.AWS, locked)
	s.deny(t, cloud.ToSeeRetention, "*")
	b := s.uploaded(t, "main")
	b.finalize(t)
	if v := b.isSealed(t); v.Receipt.RetainUntil != nil {
		t.Errorf("%+v", v.Receipt)
	}
}
