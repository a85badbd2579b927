package buckettest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/pgseal/pgseal/core/bucket"
)

var errBody = errors.New("the body broke off")

var streamCases = []testCase{
	{"bodies of every length around the part size arrive whole", func(t *testing.T, s suite) {
		b := s.Open(t)
		p := int(s.PartSize)
		for _, n := range []int{0, 1, p - 1, p, p + 1, 2 * p, 3*p + 7} {
			body := content(n, n)
			key := fmt.Sprintf("stream-%d", n)
			made, err := b.Create(t.Context(), key, onlyReader{bytes.NewReader(body)}, bucket.CreateOptions{PartSize: s.PartSize})
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			if made.Size != int64(n) || made.CRC32C != crc32c(body) {
				t.Errorf("%d bytes: Create = %+v, want CRC-32C %s", n, made, crc32c(body))
			}
			wantBody(t, b, key, "", body)
		}
		s.wantNoUploads(t, b)
	}},
	{"readers that give bytes in odd pieces are read whole", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 777)
		for name, r := range map[string]io.Reader{
			"one byte at a time":     iotest.OneByteReader(bytes.NewReader(body)),
			"the end with the bytes": iotest.DataErrReader(bytes.NewReader(body)),
			"half of what is asked":  iotest.HalfReader(bytes.NewReader(body)),
		} {
			if _, err := b.Create(t.Context(), name, r, bucket.CreateOptions{PartSize: s.PartSize}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantBody(t, b, name, "", body)
		}
	}},
	{"more parts in flight keep their order", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 5*int(s.PartSize)+1)
		create(t, b, "k", body, bucket.CreateOptions{PartSize: s.PartSize, PartsInFlight: 4})
		wantBody(t, b, "k", "", body)
	}},
	{"a body that breaks off leaves nothing", func(t *testing.T, s suite) {
		b := s.Open(t)
		for i, n := range []int{0, 10, int(s.PartSize), 2*int(s.PartSize) + 10} {
			for _, single := range []bool{false, true} {
				key := fmt.Sprintf("broken-%d-%t", i, single)
				r := io.MultiReader(bytes.NewReader(content(1, n)), iotest.ErrReader(errBody))
				o := bucket.CreateOptions{PartSize: s.PartSize, SingleShot: single}
				if single && int64(n) > s.PartSize {
					continue
				}
				if _, err := b.Create(t.Context(), key, r, o); !errors.Is(err, errBody) {
					t.Errorf("after %d bytes: %v, want the reader's error", n, err)
				}
				s.wantNothing(t, b, key)
			}
		}
		create(t, b, "broken-1-false", content(2, 20), bucket.CreateOptions{}) // the key is still free
	}},
	{"a single shot takes a part and not a byte more", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, int(s.PartSize))
		o := bucket.CreateOptions{PartSize: s.PartSize, SingleShot: true}
		create(t, b, "fits", body, o)
		wantBody(t, b, "fits", "", body)
		_, err := b.Create(t.Context(), "longer", bytes.NewReader(append(body, 'x')), o)
		if !errors.Is(err, bucket.ErrTooLarge) {
			t.Errorf("one byte more: %v, want ErrTooLarge", err)
		}
		s.wantNothing(t, b, "longer")
	}},
	{"CreateStream takes the same bytes and no others", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 2*int(s.PartSize)+1)
		o := bucket.CreateOptions{PartSize: s.PartSize}
		first, err := bucket.CreateStream(t.Context(), b, "k", bytes.NewReader(body), o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := bucket.CreateStream(t.Context(), b, "k", bytes.NewReader(body), o)
		if err != nil {
			t.Fatalf("the same bytes again: %v", err)
		}
		wantSame(t, "the same bytes again", again, first)
		other := bytes.Clone(body)
		other[len(other)-1]++
		for name, r := range map[string]io.Reader{
			"one other byte": bytes.NewReader(other), "a shorter body": bytes.NewReader(body[:10]), "nothing": bytes.NewReader(nil),
		} {
			if _, err := bucket.CreateStream(t.Context(), b, "k", r, o); !errors.Is(err, bucket.ErrDiffers) {
				t.Errorf("%s: %v, want ErrDiffers", name, err)
			}
		}
		wantBody(t, b, "k", "", body)
		s.wantNoUploads(t, b)
	}},
}

// onlyReader hides everything but Read, so that no length can be guessed.
type onlyReader struct{ io.Reader }
