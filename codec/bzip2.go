package codec

import (
	stdbzip2 "compress/bzip2"
	"io"

	"github.com/dsnet/compress/bzip2"
)

// bzip2's levels are its block size in units of 100 kB. They hardly differ in speed.
var bzip2Levels = levels{low: 1, medium: 9, high: 9, min: 1, max: 9}

// bzip2Writer writes one stream.
func bzip2Writer(w io.Writer, level int) (io.WriteCloser, error) {
	return bzip2.NewWriter(w, &bzip2.WriterConfig{Level: level})
}

// bzip2Reader needs at most 4 MB: the format's blocks hold 900 kB.
func bzip2Reader(r io.Reader) (io.ReadCloser, error) {
	return io.NopCloser(stdbzip2.NewReader(r)), nil
}
