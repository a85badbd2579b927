package buckettest

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var createCases = []testCase{
	{"a new key is stored as it is", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 1000)
		create(t, b, "base/one", body, bucket.CreateOptions{})
		wantBody(t, b, "base/one", "", body)
	}},
	{"a second create is refused and changes nothing", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 1000)
		first := create(t, b, "k", body, bucket.CreateOptions{})
		for name, again := range map[string][]byte{"other bytes": content(2, 1000), "the same bytes": body, "nothing": {}} {
			_, err := b.Create(t.Context(), "k", bytes.NewReader(again), bucket.CreateOptions{})
			wantRefusal(t, name, err, "k")
			if !bucket.Exists(err) {
				t.Errorf("create with %s = %v, want ErrExists or ErrRetained", name, err)
			}
		}
		wantBody(t, b, "k", "", body)
		if now := stat(t, b, "k", ""); now.Version != first.Version || now.ETag != first.ETag {
			t.Errorf("the object is now %+v, was %+v", now, first)
		}
		s.wantNoUploads(t, b)
	}},
	{"a locked object refuses a second create", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 100)
		create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(1)})
		_, err := b.Create(t.Context(), "k", bytes.NewReader(content(2, 100)), bucket.CreateOptions{})
		if !bucket.Exists(err) {
			t.Errorf("create = %v, want ErrExists or ErrRetained", err)
		}
		wantBody(t, b, "k", "", body)
	}},
	{"create, stat, open and list agree", func(t *testing.T, s suite) {
		b := s.Open(t)
		for _, n := range []int{0, 1, 5000, int(s.PartSize) + 5} {
			key := "agree/" + crc32c(content(0, n))
			body := content(0, n)
			made := create(t, b, key, body, bucket.CreateOptions{PartSize: s.PartSize})
			if made.Key != key || made.Size != int64(n) || made.CRC32C != crc32c(body) || made.ETag == "" {
				t.Errorf("Create = %+v, want size %d and CRC-32C %s", made, n, crc32c(body))
			}
			if st := stat(t, b, key, ""); !st.Latest || st.Created.IsZero() {
				t.Errorf("Stat = %+v, want Latest and a creation time", st)
			} else {
				wantSame(t, "Stat", st, made)
			}
			wantSame(t, "Stat of the version", stat(t, b, key, made.Version), made)
			_, opened := read(t, b, key, "", 0, -1)
			opened.CRC32C = made.CRC32C // not every store tells it when reading
			wantSame(t, "Open", opened, made)
			for _, l := range collect(t, b.List(t.Context(), key)) {
				if l.CRC32C == "" {
					l.CRC32C = made.CRC32C
				}
				if l.Version == "" { // S3 tells versions in ListVersions only
					l.Version = made.Version
				}
				wantSame(t, "List", l, made)
				if !l.Latest {
					t.Errorf("List does not call %q Latest", key)
				}
			}
		}
	}},
	{"metadata comes back as it was given", func(t *testing.T, s suite) {
		b := s.Open(t)
		want := map[string]string{
			"pgseal-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"a":             "with spaces, commas; and = signs",
			"long-name-x":   "https://example.org/?a=b&c=%20",
		}
		create(t, b, "small", content(1, 10), bucket.CreateOptions{Metadata: want})
		create(t, b, "large", content(1, int(s.PartSize)+1), bucket.CreateOptions{Metadata: want, PartSize: s.PartSize})
		create(t, b, "bare", content(1, 10), bucket.CreateOptions{})
		for _, key := range []string{"small", "large"} {
			if got := stat(t, b, key, "").Metadata; !maps.Equal(got, want) {
				t.Errorf("metadata of %s is %q, want %q", key, got, want)
			}
		}
		if got := stat(t, b, "bare", "").Metadata; len(got) != 0 {
			t.Errorf("metadata nobody gave: %q", got)
		}
	}},
	{"CreateOrMatch takes the same bytes and no others", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 300)
		first, err := bucket.CreateOrMatch(t.Context(), b, "k", body, bucket.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := bucket.CreateOrMatch(t.Context(), b, "k", body, bucket.CreateOptions{})
		if err != nil {
			t.Fatalf("the same bytes again: %v", err)
		}
		wantSame(t, "the same bytes again", again, first)
		for name, other := range map[string][]byte{
			"other bytes": content(2, 300), "a shorter body": body[:299], "a longer body": append(body[:300:300], 'x'), "nothing": nil,
		} {
			if _, err := bucket.CreateOrMatch(t.Context(), b, "k", other, bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDiffers) {
				t.Errorf("%s: %v, want ErrDiffers", name, err)
			}
		}
		wantBody(t, b, "k", "", body)
	}},
	{"CreateOrMatch takes an empty body", func(t *testing.T, s suite) {
		b := s.Open(t)
		for range 2 {
			if _, err := bucket.CreateOrMatch(t.Context(), b, "empty", nil, bucket.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		wantBody(t, b, "empty", "", nil)
	}},
	{"CreateOrMatch sends long bodies in one request", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, int(s.PartSize)+100)
		if _, err := bucket.CreateOrMatch(t.Context(), b, "k", body, bucket.CreateOptions{PartSize: s.PartSize}); err != nil {
			t.Fatal(err)
		}
		wantBody(t, b, "k", "", body)
	}},
	{"asking whether a create is allowed stores nothing", func(t *testing.T, s suite) {
		b := s.Open(t)
		for range 2 {
			if err := b.CheckCreate(t.Context(), "base/x/data.tar"); err != nil {
				t.Fatal(err)
			}
		}
		s.wantNothing(t, b, "base/x/data.tar")
		create(t, b, "base/x/data.tar", content(1, 10), bucket.CreateOptions{})
	}},
}

// wantSame compares what identifies the bytes of one version.
func wantSame(t *testing.T, what string, got, want bucket.Object) {
	t.Helper()
	if got.Key != want.Key || got.Size != want.Size || got.Version != want.Version ||
		got.ETag != want.ETag || got.CRC32C != want.CRC32C {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}
