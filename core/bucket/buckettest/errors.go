package buckettest

import (
	"bytes"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

// kinds are all that a driver may map its store's codes to.
var kinds = []error{
	bucket.ErrNotFound, bucket.ErrExists, bucket.ErrRetained, bucket.ErrDenied, bucket.ErrThrottled,
	bucket.ErrUnavailable, bucket.ErrInvalid, bucket.ErrTooLarge, bucket.ErrDiffers,
}

var errorCases = []testCase{
	{"errors name the object, what was tried and one kind", func(t *testing.T, s suite) {
		b := s.Open(t)
		create(t, b, "dir/k", content(1, 10), bucket.CreateOptions{RetainUntil: s.until(4)})
		_, err := b.Stat(t.Context(), "dir/nothing", "")
		wantRefusal(t, "Stat", err, "dir/nothing")
		_, _, err = b.Open(t.Context(), "dir/nothing", "", 0, -1)
		wantRefusal(t, "Open", err, "dir/nothing")
		_, err = b.Create(t.Context(), "dir/k", bytes.NewReader(content(1, 10)), bucket.CreateOptions{})
		wantRefusal(t, "Create", err, "dir/k")
		wantRefusal(t, "Retain", b.Retain(t.Context(), "dir/k", "", s.until(1)), "dir/k")
	}},
	{"a bucket that does not exist is not found", func(t *testing.T, s suite) {
		s.need(t, "Missing", s.Missing != nil)
		b := s.Missing(t)
		for name, call := range everyCall(s, b) {
			if err := call(t.Context()); !isKind(err, bucket.ErrNotFound) {
				t.Errorf("%s = %v, want ErrNotFound", name, err)
			}
		}
	}},
	{"a listing stops after its error", func(t *testing.T, s suite) {
		s.need(t, "Missing", s.Missing != nil)
		b := s.Missing(t)
		n := 0
		for range b.List(t.Context(), "") {
			n++
		}
		for range b.ListVersions(t.Context(), "") {
			n++
		}
		for range b.Dirs(t.Context(), "") {
			n++
		}
		if n != 3 {
			t.Errorf("three listings yielded %d times, want one error each", n)
		}
	}},
	{"credentials that may not create are denied for good", func(t *testing.T, s suite) {
		s.need(t, "Denied", s.Denied != nil)
		b := s.Denied(t)
		for name, call := range everyCall(s, b) {
			if !strings.Contains(name, "Create") {
				continue
			}
			err := call(t.Context())
			if !isKind(err, bucket.ErrDenied) {
				t.Errorf("%s = %v, want ErrDenied", name, err)
			}
			if bucket.Retryable(err) {
				t.Errorf("%s: %v must not be tried again", name, err)
			}
		}
	}},
}

// isKind tells whether err is of this kind and of no other.
func isKind(err, kind error) bool {
	for _, k := range kinds {
		if errors.Is(err, k) != (k == kind) {
			return false
		}
	}
	return true
}

// wantRefusal checks that err is an *Error which names the object.
func wantRefusal(t *testing.T, what string, err error, key string) {
	t.Helper()
	var e *bucket.Error
	if !errors.As(err, &e) {
		t.Errorf("%s = %v, want a *bucket.Error", what, err)
		return
	}
	n := 0
	for _, k := range kinds {
		if e.Kind == k {
			n++
		}
	}
	if n != 1 || e.Op == "" || !strings.HasSuffix(e.Key, key) {
		t.Errorf("%s = %#v, want Op, one of the kinds and a Key that ends with %q", what, e, key)
	}
}

// firstError runs a listing to its end.
func firstError[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}
