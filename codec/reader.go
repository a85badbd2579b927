package codec

import (
	"errors"
	"fmt"
	"io"
)

// ErrCorrupt is returned for compressed data that is damaged, cut short or not of the codec's format. Data cut short is
// io.ErrUnexpectedEOF as well.
var ErrCorrupt = errors.New("corrupt compressed data")

// errWindow is for data that would need more history to decompress than a reader will keep.
var errWindow = fmt.Errorf("%w: it asks for a window above %d MiB", ErrCorrupt, maxWindow>>20)

// maxWindow bounds what a reader may be made to allocate for history: the window of xz -9, and four times that of
// zstd -19.
const maxWindow = 64 << 20

// readAhead is the size of the buffers between a source and a decoder.
const readAhead = 64 << 10

// NewReader returns a reader of what c compressed. Close releases the decoder and does not close r.
//
// The data may be hostile: a reader takes at most 64 MiB of history and a few blocks, whatever the data says. How much
// comes out is not bounded: the caller must limit what it reads. Errors of r come back as they are; everything else
// that is wrong is ErrCorrupt.
func (c Codec) NewReader(r io.Reader) (io.ReadCloser, error) {
	if c == None {
		return io.NopCloser(r), nil
	}
	f, ok := formats[c.Name]
	if !ok {
		return nil, fmt.Errorf("%w %q", ErrUnknown, c.Name)
	}
	src := &source{Reader: r}
	zr, err := f.reader(src)
	if err != nil {
		return nil, src.explain(c, err)
	}
	return &reader{codec: c, source: src, decoder: zr}, nil
}

// source remembers what the underlying reader failed with, so that a broken connection is not mistaken for broken data.
type source struct {
	io.Reader
	began bool
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.began = s.began || n > 0
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *source) explain(c Codec, err error) error {
	switch {
	case s.err != nil:
		return s.err
	case err == io.EOF: // there was no data at all, and every format has a header
		err = io.ErrUnexpectedEOF
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("codec %s: %w", c.Name, err)
	}
	return fmt.Errorf("codec %s: %w: %w", c.Name, ErrCorrupt, err)
}

type reader struct {
	codec   Codec
	source  *source
	decoder io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.decoder.Read(p)
	if err == nil || err == io.EOF && r.source.began {
		return n, err
	}
	return n, r.source.explain(r.codec, err)
}

func (r *reader) Close() error { return r.decoder.Close() }

// Decompress is BySuffix and NewReader in one: what the finalizer is given.
func Decompress(suffix string, r io.Reader) (io.ReadCloser, error) {
	return BySuffix(suffix).NewReader(r)
}
