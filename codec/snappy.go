package codec

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/s2"
)

var snappyLevels = noLevels

// snappyBlock is the most that one chunk of the snappy framing format may hold.
const snappyBlock = 64 << 10

// snappyWriter writes the snappy framing format. The encoder ends a chunk wherever a large write ends, so it is fed
// whole chunks: otherwise the output would depend on the sizes of the caller's writes.
func snappyWriter(w io.Writer, _ int) (io.WriteCloser, error) {
	zw := s2.NewWriter(w, s2.WriterSnappyCompat(), s2.WriterBlockSize(snappyBlock), s2.WriterConcurrency(1))
	return &chunkWriter{chunks: bufio.NewWriterSize(writerOnly{zw}, snappyBlock), encoder: zw}, nil
}

func snappyReader(r io.Reader) (io.ReadCloser, error) {
	return io.NopCloser(s2.NewReader(r, s2.ReaderMaxBlockSize(snappyBlock))), nil
}

type chunkWriter struct {
	chunks  *bufio.Writer
	encoder *s2.Writer
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n, err := w.chunks.Write(p[:min(len(p), w.chunks.Available())])
		written += n
		if err != nil {
			return written, err
		}
		if p = p[n:]; w.chunks.Available() == 0 {
			if err := w.chunks.Flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (w *chunkWriter) Close() error {
	if err := w.chunks.Flush(); err != nil {
		return err
	}
	if err := w.encoder.EncodeBuffer(nil); err != nil { // an empty stream, too, has its header
		return err
	}
	return w.encoder.Close()
}

// writerOnly hides the encoder's ReadFrom, which would bypass the chunks.
type writerOnly struct{ io.Writer }
