package codec

import (
	"bytes"
	"io"
	"testing"
)

// FuzzReader feeds a decoder anything: it must neither panic nor hang.
func FuzzReader(f *testing.F) {
	for i, c := range All() {
		f.Add(byte(i), squeeze(f, c, Low, heap(3000), 1<<20))
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		c := All()[int(which)%len(All())]
		r, err := c.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(r, 4<<20))
		_ = r.Close()
	})
}

// FuzzRoundTrip compresses anything, in writes of two sizes, and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add(byte(0), byte(1), []byte("hello, hello, hello"))
	f.Add(byte(1), byte(9), heap(10_000))
	f.Fuzz(func(t *testing.T, which, split byte, data []byte) {
		c := All()[int(which)%len(All())]
		packed := squeeze(t, c, Low, data, max(1, int(split)))
		if !bytes.Equal(packed, squeeze(t, c, Low, data, max(1, len(data)))) {
			t.Fatal("the output depends on the writes")
		}
		got, err := expand(c, bytes.NewReader(packed))
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%s: %v", c.Name, err)
		}
	})
}
