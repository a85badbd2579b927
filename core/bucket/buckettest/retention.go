package buckettest

import (
	"bytes"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

var retentionCases = []testCase{
	{"the vault tells that it locks", func(t *testing.T, s suite) {
		l, err := s.Open(t).Lock(t.Context())
		if err != nil || !l.Enabled {
			t.Errorf("Lock = %+v, %v; want it enabled", l, err)
		}
		if err == nil && l.Versioning != (s.Keeps == KeepsVersion) {
			t.Errorf("Lock = %+v, but the store keeps the %s", l, s.Keeps)
		}
	}},
	{"retention set at creation can be seen", func(t *testing.T, s suite) {
		b := s.Open(t)
		until := s.until(2)
		for key, n := range map[string]int{"small": 10, "parts": int(s.PartSize) + 1, "empty": 0} {
			made := create(t, b, key, content(1, n), bucket.CreateOptions{RetainUntil: until, PartSize: s.PartSize})
			s.wantRetention(t, b, key, made.Version, until)
			s.wantRetention(t, b, key, "", until)
		}
	}},
	{"the vault's own retention is put on what asks for none", func(t *testing.T, s suite) {
		b := s.Open(t)
		lock, err := b.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		st := stat(t, b, "k", "")
		switch {
		case !st.RetentionSeen:
			t.Error("Stat cannot see retention")
		case lock.Default == 0 && !st.RetainUntil.IsZero():
			t.Errorf("retention until %v that nobody asked for", st.RetainUntil)
		case lock.Default > 0 && st.RetainUntil.Before(st.Created.Add(lock.Default).Truncate(time.Second)):
			t.Errorf("retention until %v, want %v after %v", st.RetainUntil, lock.Default, st.Created)
		}
	}},
	{"retention can be extended", func(t *testing.T, s suite) {
		if s.FixedRetention {
			s.wantTheVaultsOnly(t)
			return
		}
		b := s.Open(t)
		body := content(1, 10)
		made := create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(2)})
		lock, err := b.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Where the bucket's own retention comes on top (GCS), only what is behind
		// its end is longer.
		until := s.until(4).Add(lock.Default)
		for range 2 { // the same end again is no shrinking
			if err := b.Retain(t.Context(), "k", made.Version, until); err != nil {
				t.Fatal(err)
			}
			s.wantRetention(t, b, "k", made.Version, until)
		}
		if err := b.Retain(t.Context(), "k", "", until.Add(time.Minute)); err != nil {
			t.Fatalf("the current version: %v", err)
		}
		s.wantRetention(t, b, "k", made.Version, until.Add(time.Minute))
		wantBody(t, b, "k", "", body)
		wantSame(t, "Stat", stat(t, b, "k", ""), made)
	}},
	{"an object without retention can be given one", func(t *testing.T, s suite) {
		if s.FixedRetention {
			s.wantTheVaultsOnly(t)
			return
		}
		b := s.Open(t)
		made := create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		lock, err := b.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		until := s.until(2).Add(lock.Default)
		if err := b.Retain(t.Context(), "k", made.Version, until); err != nil {
			t.Fatal(err)
		}
		s.wantRetention(t, b, "k", made.Version, until)
	}},
	{"retention cannot be shortened", func(t *testing.T, s suite) {
		b := s.Open(t)
		until := s.until(4)
		made := create(t, b, "k", content(1, 10), bucket.CreateOptions{RetainUntil: until})
		before := stat(t, b, "k", "").RetainUntil
		for _, shorter := range []time.Time{until.Add(-time.Second), s.until(2), s.Now().Add(-time.Hour), {}} {
			if err := b.Retain(t.Context(), "k", made.Version, shorter); !isKind(err, bucket.ErrRetained) {
				t.Errorf("Retain until %v = %v, want ErrRetained", shorter, err)
			}
			if now := stat(t, b, "k", "").RetainUntil; !now.Equal(before) {
				t.Errorf("retention is now until %v, was %v", now, before)
			}
		}
	}},
	{"what does not exist cannot be retained", func(t *testing.T, s suite) {
		if err := s.Open(t).Retain(t.Context(), "nothing", "", s.until(2)); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Retain = %v, want ErrNotFound", err)
		}
	}},
	{"retention that ended already is refused at creation", func(t *testing.T, s suite) {
		b := s.Open(t)
		_, err := b.Create(t.Context(), "k", bytes.NewReader(content(1, 10)), bucket.CreateOptions{RetainUntil: s.Now().Add(-time.Hour)})
		if !isKind(err, bucket.ErrInvalid) {
			t.Errorf("Create = %v, want ErrInvalid", err)
		}
		s.wantNothing(t, b, "k")
	}},
}

// wantTheVaultsOnly checks that nothing is promised beyond the vault's own
// retention, and that an object which was asked nothing for has that one.
func (s suite) wantTheVaultsOnly(t *testing.T) {
	t.Helper()
	b := s.Open(t)
	lock, err := b.Lock(t.Context())
	if err != nil || lock.Default == 0 {
		t.Fatalf("Lock = %+v, %v; want a retention for every object", lock, err)
	}
	create(t, b, "k", content(1, 10), bucket.CreateOptions{})
	before := stat(t, b, "k", "")
	if !before.RetentionSeen || before.RetainUntil.IsZero() {
		t.Fatalf("Stat = %+v, want the vault's retention", before)
	}
	if err := b.Retain(t.Context(), "k", before.Version, before.RetainUntil); err != nil {
		t.Errorf("Retain until the end it has = %v", err)
	}
	later := before.RetainUntil.Add(time.Hour)
	if err := b.Retain(t.Context(), "k", before.Version, later); !isKind(err, bucket.ErrInvalid) {
		t.Errorf("Retain until %v = %v, want ErrInvalid", later, err)
	}
	if after := stat(t, b, "k", ""); !after.RetainUntil.Equal(before.RetainUntil) {
		t.Errorf("retention is now until %v, was %v", after.RetainUntil, before.RetainUntil)
	}
	for key, n := range map[string]int{"small": 10, "parts": int(s.PartSize) + 1} {
		_, err := b.Create(t.Context(), key, bytes.NewReader(content(1, n)), bucket.CreateOptions{RetainUntil: later, PartSize: s.PartSize})
		if !isKind(err, bucket.ErrInvalid) {
			t.Errorf("Create until %v = %v, want ErrInvalid", later, err)
		}
		s.wantNothing(t, b, key)
	}
}

// wantRetention checks the retention's end; a default of the vault may make it
// later than asked.
func (s suite) wantRetention(t *testing.T, b bucket.Bucket, key, version string, until time.Time) {
	t.Helper()
	st := stat(t, b, key, version)
	if !st.RetentionSeen {
		t.Errorf("Stat(%q) cannot see retention", key)
	}
	lock, err := b.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.RetainUntil.Before(until) || lock.Default == 0 && !st.RetainUntil.Equal(until) {
		t.Errorf("%q is retained until %v, want %v", key, st.RetainUntil, until)
	}
}
