package codec

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkWrite(b *testing.B) {
	data := heap(32 << 20)
	for _, c := range All() {
		for _, level := range []Level{Low, Medium, High} {
			if c == Snappy && level != Medium {
				continue
			}
			b.Run(c.Name+"/"+level.String(), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				size := 0
				for b.Loop() {
					size = len(squeeze(b, c, level, data, 128<<10))
				}
				b.ReportMetric(float64(len(data))/float64(size), "ratio")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	data := heap(32 << 20)
	for _, c := range All() {
		packed := squeeze(b, c, Medium, data, 1<<20)
		b.Run(c.Name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r, err := c.NewReader(bytes.NewReader(packed))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
	}
}
