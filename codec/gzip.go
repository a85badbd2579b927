package codec

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

var gzipLevels = levels{low: 1, medium: 6, high: 9, min: 1, max: 9}

// gzipWriter writes one member whose header has neither a time nor a name.
func gzipWriter(w io.Writer, level int) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(w, level)
}

func gzipReader(r io.Reader) (io.ReadCloser, error) {
	return gzip.NewReader(bufio.NewReaderSize(r, readAhead))
}
