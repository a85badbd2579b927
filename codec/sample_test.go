package codec

import (
	"encoding/binary"
	"math/rand/v2"
)

// heap makes n bytes that look like a table of pgbench: 8 KiB pages of rows with a counter, a random balance and a
// filler of blanks.
func heap(n int) []byte {
	const page, row = 8192, 128
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, 0, n+page)
	for aid := uint32(1); len(out) < n; {
		p := make([]byte, page)
		binary.LittleEndian.PutUint64(p, uint64(len(out))*7)
		at := page
		for slot := 24; slot+4 < at-row; slot += 4 {
			at -= row
			binary.LittleEndian.PutUint32(p[slot:], uint32(at)|1<<15|uint32(row)<<17)
			t := p[at : at+row]
			binary.LittleEndian.PutUint32(t, 700+aid%13)
			binary.LittleEndian.PutUint32(t[16:], aid)
			binary.LittleEndian.PutUint32(t[24:], aid)
			binary.LittleEndian.PutUint32(t[28:], aid/100000+1)
			binary.LittleEndian.PutUint32(t[32:], rng.Uint32()%10000)
			for i := 37; i < 121; i++ {
				t[i] = ' '
			}
			aid++
		}
		out = append(out, p...)
	}
	return out[:n]
}

// noise makes n bytes that do not compress.
func noise(n int) []byte {
	out := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(out)
	return out
}
