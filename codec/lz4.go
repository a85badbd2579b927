package codec

import (
	"io"

	"github.com/pierrec/lz4/v4"
)

// lz4's levels are those of Python's lz4.frame, which barman hands its own to: 0 to 2 are the fast compressor, 3 to 16
// the slow one at growing depth. The library has nine depths.
var lz4Levels = levels{low: 0, medium: 0, high: 10, min: 0, max: 16}

var lz4Depths = []lz4.CompressionLevel{
	lz4.Fast, lz4.Fast, lz4.Fast, lz4.Level3, lz4.Level4, lz4.Level5, lz4.Level6, lz4.Level7, lz4.Level8, lz4.Level9,
}

// lz4Writer writes one frame of independent blocks with a checksum over the content.
func lz4Writer(w io.Writer, level int) (io.WriteCloser, error) {
	zw := lz4.NewWriter(w)
	err := zw.Apply(
		lz4.CompressionLevelOption(lz4Depths[min(level, len(lz4Depths)-1)]),
		lz4.BlockSizeOption(lz4.Block1Mb),
		lz4.ChecksumOption(true),
		lz4.ConcurrencyOption(1),
	)
	return zw, err
}

// lz4Reader needs at most a few blocks, which the format bounds to 4 MB (8 MB in its legacy form).
func lz4Reader(r io.Reader) (io.ReadCloser, error) {
	return io.NopCloser(lz4.NewReader(r)), nil
}
