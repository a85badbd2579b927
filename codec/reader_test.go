package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

func TestDamageIsNoticed(t *testing.T) {
	data := heap(60_000)
	for _, c := range All() {
		packed := squeeze(t, c, Default, data, 1<<20)
		t.Run(c.Name+" cut short", func(t *testing.T) {
			for _, n := range []int{0, 1, 5, 20, len(packed) / 2, len(packed) - 1} {
				_, err := expand(c, bytes.NewReader(packed[:n]))
				if !errors.Is(err, ErrCorrupt) {
					t.Errorf("%d of %d bytes give %v", n, len(packed), err)
				}
			}
		})
		t.Run(c.Name+" with a byte changed", func(t *testing.T) {
			for at := 4; at < len(packed); at += 1 + len(packed)/100 {
				bad := bytes.Clone(packed)
				bad[at] ^= 0x10
				got, err := expand(c, bytes.NewReader(bad))
				if err == nil && !bytes.Equal(got, data) {
					t.Errorf("byte %d of %d: wrong data without an error", at, len(packed))
				}
				if err != nil && !errors.Is(err, ErrCorrupt) {
					t.Errorf("byte %d of %d: %v", at, len(packed), err)
				}
			}
		})
		t.Run(c.Name+" of another format", func(t *testing.T) {
			if _, err := expand(c, bytes.NewReader(data)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("plain data gives %v", err)
			}
		})
	}
}

func TestABrokenConnectionIsNotDamage(t *testing.T) {
	gone := errors.New("connection reset")
	for _, c := range append(All(), None) {
		packed := squeeze(t, c, Default, heap(1_200_000), 1<<20)
		for _, n := range []int{0, 3, len(packed) / 2} {
			_, err := expand(c, io.MultiReader(bytes.NewReader(packed[:n]), failing{gone}))
			if !errors.Is(err, gone) || errors.Is(err, ErrCorrupt) {
				t.Errorf("%q: after %d bytes: %v", c.Name, n, err)
			}
		}
	}
}

func TestASourceMayDeliverByteByByte(t *testing.T) {
	data := heap(100_000)
	for _, c := range All() {
		packed := squeeze(t, c, Default, data, 1<<20)
		got, err := expand(c, iotest.OneByteReader(bytes.NewReader(packed)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestAHugeWindowIsRefused(t *testing.T) {
	zstdFrame := []byte{0x28, 0xB5, 0x2F, 0xFD, 0x00, 17 << 3, 1, 0, 0} // a window of 128 MiB, one empty block
	for name, tt := range map[string]struct {
		codec Codec
		data  []byte
		want  error
	}{
		"zstd asking for 128 MiB":             {Zstd, zstdFrame, zstd.ErrWindowSizeExceeded},
		"xz asking for 96 MiB":                {XZ, xzWithWindow(t, 29), errWindow},
		"xz asking for 4 GiB":                 {XZ, xzWithWindow(t, 40), errWindow},
		"xz asking for what does not exist":   {XZ, xzWithWindow(t, 63), errWindow},
		"xz whose second block asks for more": {XZ, xzWithSecondBlock(t), errWindow},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := expand(tt.codec, bytes.NewReader(tt.data))
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrCorrupt) || !errors.Is(err, tt.want) {
				t.Errorf("gives %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > maxWindow {
				t.Errorf("took %d MiB", took>>20)
			}
		})
	}
}

// xzBlockHeader is the header of a block of LZMA2 with the given dictionary size property.
func xzBlockHeader(property byte) []byte {
	h := []byte{2, 0, 0x21, 1, property, 0, 0, 0}
	return binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(h))
}

func xzWithWindow(t *testing.T, property byte) []byte {
	packed := squeeze(t, XZ, Low, []byte("x"), 1)
	return append(packed[:xzHeaderSize:xzHeaderSize], append(xzBlockHeader(property), packed[xzHeaderSize+12:]...)...)
}

func xzWithSecondBlock(t *testing.T) []byte {
	stored := []byte{1, 0, 2, 'a', 'b', 'c', 0, 0} // a chunk of three bytes, the end, padding
	packed := squeeze(t, XZ, Low, []byte("x"), 1)[:xzHeaderSize]
	packed[7] = 0 // no checks
	crc := crc32.ChecksumIEEE(packed[6:8])
	binary.LittleEndian.PutUint32(packed[8:], crc)
	packed = append(append(packed, xzBlockHeader(8)...), stored...)
	return append(append(packed, xzBlockHeader(40)...), stored...)
}

func TestXZWithTheWindowOfLevel9IsRead(t *testing.T) {
	data := heap(100_000)
	got, err := expand(XZ, bytes.NewReader(squeeze(t, XZ, Number(9), data, 1<<20)))
	if err != nil || !bytes.Equal(got, data) {
		t.Error(err)
	}
}
