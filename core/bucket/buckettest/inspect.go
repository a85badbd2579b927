package buckettest

import (
	"bytes"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// attempts are all of them.
var attempts = []bucket.Attempt{
	bucket.ToCreate, bucket.ToOverwrite, bucket.ToDelete, bucket.ToChangeLock, bucket.ToChangeVersions, bucket.ToChangeLifecycle,
}

var inspectCases = []testCase{
	{"an attempt changes nothing, though everything is allowed", func(t *testing.T, s suite) {
		s.need(t, "Everything", s.Everything != nil)
		b := inspector(t, s.Everything(t))
		body := content(1, 100)
		made := create(t, b, "there", body, bucket.CreateOptions{})
		lock, expiry := s.settings(t, b)
		for _, a := range attempts {
			for _, key := range []string{"nothing", "there"} {
				err := b.Try(t.Context(), a, key)
				switch {
				case err == nil, isKind(err, bucket.ErrInvalid):
				case a == bucket.ToOverwrite && key == "nothing" && isKind(err, bucket.ErrNotFound):
				case key == "there" && s.Keeps == KeepsName && isKind(err, bucket.ErrRetained):
				default:
					t.Errorf("Try %s %q = %v, and everything is allowed", a, key, err)
				}
			}
			s.wantNothing(t, b, "nothing")
			wantBody(t, b, "there", "", body)
			wantSame(t, "Stat", stat(t, b, "there", ""), made)
			if n := len(collect(t, b.ListVersions(t.Context(), "there"))); n != 1 {
				t.Errorf("after the attempt to %s there are %d versions", a, n)
			}
			if l, e := s.settings(t, b); l != lock || e != expiry {
				t.Errorf("after the attempt to %s the place is %+v, %v, and was %+v, %v", a, l, e, lock, expiry)
			}
		}
	}},
	{"what is allowed is told as allowed", func(t *testing.T, s suite) {
		s.need(t, "Everything", s.Everything != nil)
		b := inspector(t, s.Everything(t))
		for _, a := range []bucket.Attempt{bucket.ToCreate, bucket.ToDelete} {
			if err := b.Try(t.Context(), a, "nothing"); err != nil {
				t.Errorf("Try %s = %v", a, err)
			}
		}
	}},
	{"what is not allowed is told as denied", func(t *testing.T, s suite) {
		s.need(t, "Everything", s.Everything != nil) // else nothing is tried
		s.need(t, "Denied", s.Denied != nil)
		b := inspector(t, s.Denied(t))
		for _, a := range attempts {
			err := b.Try(t.Context(), a, "nothing")
			switch {
			case isKind(err, bucket.ErrDenied):
			case a != bucket.ToCreate && isKind(err, bucket.ErrInvalid): // cannot be tried
			case a == bucket.ToOverwrite && isKind(err, bucket.ErrNotFound):
			default:
				t.Errorf("Try %s = %v, want ErrDenied", a, err)
			}
		}
	}},
	{"an attempt is no success where there is no bucket", func(t *testing.T, s suite) {
		s.need(t, "Missing", s.Missing != nil)
		b := inspector(t, s.Missing(t))
		for _, a := range attempts {
			if err := b.Try(t.Context(), a, "nothing"); err == nil {
				t.Errorf("Try %s = nil", a)
			}
		}
		if _, err := b.Expiry(t.Context()); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Expiry = %v, want ErrNotFound", err)
		}
		if _, err := b.Clock(t.Context()); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Clock = %v, want ErrNotFound", err)
		}
	}},
	{"the store tells its time", func(t *testing.T, s suite) {
		b := inspector(t, s.Open(t))
		before := s.Now()
		now, err := b.Clock(t.Context())
		if after := s.Now(); err != nil || now.Before(before.Add(-2*time.Second)) || now.After(after.Add(time.Second)) {
			t.Errorf("Clock = %v, %v; it is %v", now, err, after)
		}
	}},
	{"a finished upload is not an unfinished one", func(t *testing.T, s suite) {
		s.need(t, "Everything", s.Everything != nil)
		b := inspector(t, s.Everything(t))
		if _, err := b.Create(t.Context(), "k", bytes.NewReader(content(1, int(s.PartSize)+1)), bucket.CreateOptions{PartSize: s.PartSize}); err != nil {
			t.Fatal(err)
		}
		if left := collect(t, b.Unfinished(t.Context(), "")); len(left) > 0 {
			t.Errorf("Unfinished = %+v", left)
		}
	}},
}

func inspector(t *testing.T, b bucket.Bucket) bucket.Inspector {
	t.Helper()
	i, ok := b.(bucket.Inspector)
	if !ok {
		t.Fatalf("%T is no Inspector", b)
	}
	return i
}

// settings are what an attempt could change of a place.
func (s suite) settings(t *testing.T, b bucket.Inspector) (bucket.Lock, time.Duration) {
	t.Helper()
	lock, err := b.Lock(t.Context())
	if err != nil {
		t.Errorf("Lock: %v", err)
	}
	expiry, err := b.Expiry(t.Context())
	if err != nil && !isKind(err, bucket.ErrInvalid) {
		t.Errorf("Expiry: %v", err)
	}
	return lock, expiry
}
