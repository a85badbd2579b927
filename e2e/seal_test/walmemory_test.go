package seal_test

import (
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// A longer backup of a busy server: dozens of compressed segments, whose decoders take most when they are set to
// compress best, as xz -9 is, which asks for 64 MiB to read a single byte.
func TestManyCompressedSegmentsFitIntoTheFunctionsMemory(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for _, c := range []codec.Codec{codec.XZ, codec.Bzip2} {
			t.Run(c.Name, func(t *testing.T) {
				b := s.backup(c.Name)
				b.Manifest.End.LSN += 40 * settest.Size
				b.UploadArchives(t, s.host)
				level := codec.High
				if c == codec.XZ {
					level = codec.Number(9)
				}
				for n := b.Manifest.FirstSegment().Number; n <= b.Manifest.LastSegment().Number; n++ {
					b.Create(t, s.host, b.walKey(n, c.Suffix), packedAt(t, c, level, b.segment(n)[:8192]))
				}
				b.UploadManifest(t, s.host)
				fn := s.measured(t)
				if err := fn.Deliver(t.Context(), s.direct(), b.mark(t)); err != nil {
					t.Fatal(err)
				}
				if v := b.isSealed(t); v.WAL.Segments != 42 {
					t.Errorf("%+v", v.WAL)
				}
				fn.checkPeak(t)
			})
		}
	})
}
