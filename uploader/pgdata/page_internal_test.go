package pgdata

import "testing"

func BenchmarkChecksumPage(b *testing.B) {
	page := make([]byte, 8192)
	for i := range page {
		page[i] = byte(i * 7)
	}
	b.SetBytes(8192)
	for b.Loop() {
		checksumPage(page, 1)
	}
}
