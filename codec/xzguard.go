package codec

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// xzGuard passes an xz stream on and stops with errWindow before the header of a block whose dictionary is larger than
// maxWindow. It follows the layout of the container (the .xz file format 1.2.1, sections 2 and 3) and of LZMA2's chunks
// and leaves everything else for the decoder to check. After the blocks it passes on what remains.
type xzGuard struct {
	r       *bufio.Reader
	pending []byte // a header that was read and may be passed on
	body    int64  // bytes to pass on before next has to look again
	packed  int64  // compressed bytes of the present block, for its padding
	check   int64  // size of the check after each block
	next    func() error
	err     error
}

func newXZGuard(r io.Reader) *xzGuard {
	g := &xzGuard{r: bufio.NewReaderSize(r, readAhead)}
	g.next = g.streamHeader
	return g
}

func (g *xzGuard) Read(p []byte) (int, error) {
	for len(g.pending) == 0 && g.body == 0 && g.err == nil && g.next != nil {
		g.err = g.next()
	}
	if n := copy(p, g.pending); n > 0 {
		g.pending = g.pending[n:]
		return n, nil
	}
	if g.err != nil {
		return 0, g.err
	}
	if g.next == nil {
		return g.r.Read(p)
	}
	n, err := g.r.Read(p[:min(int64(len(p)), g.body)])
	g.body -= int64(n)
	return n, err
}

// take reads n bytes more of the header in hand.
func (g *xzGuard) take(n int) ([]byte, error) {
	start := len(g.pending)
	g.pending = append(g.pending, make([]byte, n)...)
	k, err := io.ReadFull(g.r, g.pending[start:])
	g.pending = g.pending[:start+k]
	return g.pending[start:], err
}

func (g *xzGuard) streamHeader() error {
	h, err := g.take(xzHeaderSize)
	if err != nil {
		return err
	}
	sizes := [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64} // by the check's id
	g.check = sizes[h[7]&15]
	g.next = g.blockHeader
	return nil
}

const xzHeaderSize = 12

// blockHeader reads one block header, or sees that the index begins.
func (g *xzGuard) blockHeader() error {
	first, err := g.take(1)
	if err != nil {
		return err
	}
	if first[0] == 0 { // the index: no block follows
		g.next = nil
		return nil
	}
	rest, err := g.take(int(first[0])*4 + 3)
	if err != nil {
		return err
	}
	if err := checkXZFilters(rest); err != nil {
		g.pending = nil
		return err
	}
	g.packed, g.next = 0, g.chunk
	return nil
}

// checkXZFilters looks at a block header without its size byte.
func checkXZFilters(h []byte) error {
	flags, h := h[0], h[1:]
	number := func() uint64 {
		v, n := binary.Uvarint(h)
		if n <= 0 {
			h = nil
			return 0
		}
		h = h[n:]
		return v
	}
	for _, present := range []byte{0x40, 0x80} { // the sizes of the block, packed and unpacked
		if flags&present != 0 {
			number()
		}
	}
	for range int(flags&3) + 1 {
		id, size := number(), number()
		if uint64(len(h)) < size {
			return fmt.Errorf("%w: a block header without room for its filters", ErrCorrupt)
		}
		const lzma2 = 0x21
		if id == lzma2 && size == 1 {
			if bits := h[0]; bits > 40 || uint64(2|bits&1)<<(bits/2+11) > maxWindow {
				return errWindow
			}
		}
		h = h[size:]
	}
	return nil
}

// chunk reads the header of one LZMA2 chunk.
func (g *xzGuard) chunk() error {
	h, err := g.take(1)
	if err != nil {
		return err
	}
	g.packed++
	control := h[0]
	switch {
	case control == 0: // the end of the block: padding to four bytes, then the check
		g.body = (4-g.packed%4)%4 + g.check
		g.next = g.blockHeader
		return nil
	case control < 0x80: // stored
		h, err = g.take(2)
		if err != nil {
			return err
		}
		g.body = int64(binary.BigEndian.Uint16(h)) + 1
		g.packed += 2 + g.body
		return nil
	}
	h, err = g.take(4)
	if err != nil {
		return err
	}
	g.body = int64(binary.BigEndian.Uint16(h[2:])) + 1
	if control >= 0xC0 { // new properties: one more byte
		g.body++
	}
	g.packed += 4 + g.body
	return nil
}
