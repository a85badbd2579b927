package codec

import (
	"encoding/binary"
	"errors"
	"testing"
)

// TestSnappyIsStrict reads the framing format with a decoder that knows the original snappy only: the encoder's own
// library also reads S2, an extension that no stock reader understands.
func TestSnappyIsStrict(t *testing.T) {
	data := append(heap(700_001), noise(100_000)...)
	packed := squeeze(t, Snappy, Default, data, 1<<20)
	const magic = "\xff\x06\x00\x00sNaPpY"
	if string(packed[:len(magic)]) != magic {
		t.Fatalf("it begins with %q", packed[:len(magic)])
	}
	var got []byte
	for rest := packed[len(magic):]; len(rest) > 0; {
		size := int(rest[1]) | int(rest[2])<<8 | int(rest[3])<<16
		body := rest[4+4 : 4+size] // after the checksum
		switch rest[0] {
		case 0:
			block, err := strictSnappyBlock(body)
			if err != nil {
				t.Fatal(err)
			}
			body = block
		case 1:
		default:
			t.Fatalf("chunk type %#x", rest[0])
		}
		if len(body) > 65536 {
			t.Fatalf("a chunk of %d bytes", len(body))
		}
		got = append(got, body...)
		rest = rest[4+size:]
	}
	if string(got) != string(data) {
		t.Error("other data came back")
	}
}

// strictSnappyBlock follows the published description of the block format.
func strictSnappyBlock(src []byte) ([]byte, error) {
	size, n := binary.Uvarint(src)
	src = src[n:]
	var out []byte
	for len(src) > 0 {
		tag := src[0]
		length, offset, used := 0, 0, 0
		switch tag & 3 {
		case 0:
			length, used = int(tag>>2)+1, 1
			if extra := int(tag>>2) - 59; extra > 0 {
				length = 1
				for i := range extra {
					length += int(src[1+i]) << (8 * i)
				}
				used += extra
			}
			out = append(out, src[used:used+length]...)
			src = src[used+length:]
			continue
		case 1:
			length, offset, used = int(tag>>2&7)+4, int(tag>>5)<<8|int(src[1]), 2
		case 2:
			length, offset, used = int(tag>>2)+1, int(binary.LittleEndian.Uint16(src[1:])), 3
		case 3:
			length, offset, used = int(tag>>2)+1, int(binary.LittleEndian.Uint32(src[1:])), 5
		}
		if offset == 0 || offset > len(out) {
			return nil, errors.New("a copy that the original format does not have")
		}
		for range length {
			out = append(out, out[len(out)-offset])
		}
		src = src[used:]
	}
	if uint64(len(out)) != size {
		return nil, errors.New("a block of another size than it says")
	}
	return out, nil
}
