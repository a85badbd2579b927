package buckettest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var readCases = []testCase{
	{"a range yields what is there", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 1000)
		made := create(t, b, "k", body, bucket.CreateOptions{})
		create(t, b, "empty", nil, bucket.CreateOptions{})
		for _, tc := range []struct {
			name           string
			key            string
			offset, length int64
			want           []byte
		}{
			{"the whole", "k", 0, -1, body},
			{"the first byte", "k", 0, 1, body[:1]},
			{"inside", "k", 100, 50, body[100:150]},
			{"exactly to the end", "k", 900, 100, body[900:]},
			{"from the middle to the end", "k", 500, -1, body[500:]},
			{"the last byte", "k", 999, 1, body[999:]},
			{"past the end", "k", 990, 100, body[990:]},
			{"from the end on", "k", 1000, 10, nil},
			{"from the end on without a limit", "k", 1000, -1, nil},
			{"from far behind the end", "k", 5000, 10, nil},
			{"no bytes", "k", 10, 0, nil},
			{"an empty object", "empty", 0, -1, nil},
			{"the first bytes of an empty object", "empty", 0, 10, nil},
		} {
			got, obj := read(t, b, tc.key, "", tc.offset, tc.length)
			if !bytes.Equal(got, tc.want) {
				t.Errorf("%s: %d bytes, want %d", tc.name, len(got), len(tc.want))
			}
			if tc.key == "k" && (obj.Size != 1000 || obj.ETag != made.ETag || obj.Version != made.Version || obj.Key != "k") {
				t.Errorf("%s: the object is described as %+v, want %+v", tc.name, obj, made)
			}
			if byVersion, _ := read(t, b, "k", made.Version, 100, 50); !bytes.Equal(byVersion, body[100:150]) {
				t.Errorf("%s: a range of the exact version differs", tc.name)
			}
		}
	}},
	{"a body that is closed early does no harm", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, int(s.PartSize))
		create(t, b, "k", body, bucket.CreateOptions{})
		r, _, err := b.Open(t.Context(), "k", "", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		wantBody(t, b, "k", "", body)
	}},
	{"ReadAll reads up to its bound and no further", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 1000)
		made := create(t, b, "k", body, bucket.CreateOptions{})
		create(t, b, "empty", nil, bucket.CreateOptions{})
		for _, bound := range []int64{1000, 1001, 1 << 20} {
			got, obj, err := bucket.ReadAll(t.Context(), b, "k", "", bound)
			if err != nil || !bytes.Equal(got, body) || obj.Size != 1000 {
				t.Errorf("bound %d: %d bytes, %+v, %v", bound, len(got), obj, err)
			}
		}
		for _, bound := range []int64{0, 1, 999} {
			if got, _, err := bucket.ReadAll(t.Context(), b, "k", made.Version, bound); !errors.Is(err, bucket.ErrTooLarge) || got != nil {
				t.Errorf("bound %d: %d bytes, %v; want ErrTooLarge", bound, len(got), err)
			}
		}
		if got, _, err := bucket.ReadAll(t.Context(), b, "empty", "", 0); err != nil || len(got) != 0 {
			t.Errorf("empty object: %d bytes, %v", len(got), err)
		}
	}},
	{"what does not exist is not found", func(t *testing.T, s suite) {
		b := s.Open(t)
		create(t, b, "dir/k", content(1, 10), bucket.CreateOptions{})
		for _, key := range []string{"nothing", "dir", "dir/k2", "di"} {
			if _, err := b.Stat(t.Context(), key, ""); !isKind(err, bucket.ErrNotFound) {
				t.Errorf("Stat(%q) = %v, want ErrNotFound", key, err)
			}
			if _, _, err := b.Open(t.Context(), key, "", 0, -1); !isKind(err, bucket.ErrNotFound) {
				t.Errorf("Open(%q) = %v, want ErrNotFound", key, err)
			}
			if _, _, err := bucket.ReadAll(t.Context(), b, key, "", 100); !isKind(err, bucket.ErrNotFound) {
				t.Errorf("ReadAll(%q) = %v, want ErrNotFound", key, err)
			}
		}
	}},
}
