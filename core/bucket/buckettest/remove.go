package buckettest

import (
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var removeCases = []testCase{
	{"what is not locked is removed for good", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		r := s.Remover(t, b)
		create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		create(t, b, "k2", content(2, 10), bucket.CreateOptions{})
		listed := collect(t, b.ListVersions(t.Context(), "k"))[0]
		if err := r.Removable(t.Context(), listed); err != nil {
			t.Errorf("Removable = %v", err)
		}
		if err := r.Remove(t.Context(), listed); err != nil {
			t.Fatal(err)
		}
		if left := collect(t, b.ListVersions(t.Context(), "")); len(left) != 1 || left[0].Key != "k2" {
			t.Errorf("left: %+v, want k2 and no trace of k", left)
		}
		if err := r.Remove(t.Context(), listed); err != nil && !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Remove of what is gone = %v", err)
		}
		if err := r.Removable(t.Context(), listed); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Removable of what is gone = %v, want ErrNotFound", err)
		}
	}},
	{"what is locked stays, and the end of the lock is told", func(t *testing.T, s suite) {
		b := s.Open(t)
		r := s.Remover(t, b)
		body := content(1, 10)
		create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(4)})
		for _, o := range []bucket.Object{stat(t, b, "k", ""), collect(t, b.ListVersions(t.Context(), "k"))[0]} {
			if err := r.Removable(t.Context(), o); !isKind(err, bucket.ErrRetained) {
				t.Errorf("Removable = %v, want ErrRetained", err)
			}
			if err := r.Remove(t.Context(), o); !isKind(err, bucket.ErrRetained) {
				t.Errorf("Remove = %v, want ErrRetained", err)
			}
		}
		wantBody(t, b, "k", "", body)
		if all := collect(t, b.ListVersions(t.Context(), "")); len(all) != 1 {
			t.Errorf("there are %+v, want one version", all)
		}
	}},
	{"only what was seen is removed", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		r := s.Remover(t, b)
		create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		seen := collect(t, b.ListVersions(t.Context(), "k"))[0]
		if s.Keeps == KeepsVersion && seen.Version == "" {
			return // a store that keeps versions where it locks, and knows no condition for a delete where it keeps none
		}
		body := content(2, 11)
		if _, err := b.Put(t.Context(), "k", body); err != nil {
			t.Fatal(err)
		}
		if err := r.Remove(t.Context(), seen); err != nil && !isKind(err, bucket.ErrDiffers) && !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Remove = %v, want ErrDiffers or ErrNotFound", err)
		}
		wantBody(t, b, "k", "", body)
	}},
	{"what is hidden can be shown again, and nothing is hidden where that would delete", func(t *testing.T, s suite) {
		b := s.Open(t)
		r := s.Remover(t, b)
		body := content(1, 10)
		create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(4)})
		switch err := r.Hide(t.Context(), "k"); {
		case isKind(err, bucket.ErrInvalid):
			wantBody(t, b, "k", "", body)
			return
		case err != nil:
			t.Fatal(err)
		case s.Keeps == KeepsName:
			t.Fatal("Hide hides where the store keeps no versions")
		}
		if _, err := b.Stat(t.Context(), "k", ""); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Stat = %v, want ErrNotFound", err)
		}
		marker := collect(t, b.ListVersions(t.Context(), "k"))[0]
		if !marker.DeleteMarker {
			t.Fatalf("%+v is no delete marker", marker)
		}
		if err := r.Removable(t.Context(), marker); err != nil {
			t.Errorf("Removable of the marker = %v", err)
		}
		if err := r.Remove(t.Context(), marker); err != nil {
			t.Fatal(err)
		}
		wantBody(t, b, "k", "", body)
	}},
}
