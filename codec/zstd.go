package codec

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

var zstdLevels = levels{low: 1, medium: 3, high: 9, min: -22, max: 22}

// zstdWindow is how far back the encoder looks, at every level: by itself it would look 8 MiB back and hold twice that, for
// every worker.
const zstdWindow = 1 << 20

// zstdWriter writes one frame with a checksum. Levels are zstd's own and map to the encoder's four speeds.
func zstdWriter(w io.Writer, level int) (io.WriteCloser, error) {
	return zstd.NewWriter(w,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithZeroFrames(true),
	)
}

func zstdReader(r io.Reader) (io.ReadCloser, error) {
	zr, err := zstd.NewReader(r,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow),
	)
	if err != nil {
		return nil, err
	}
	return zr.IOReadCloser(), nil
}
