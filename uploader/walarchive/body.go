package walarchive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
)

// partSize and partsInFlight bound the memory for a segment that is too long for inMemory.
const (
	partSize      = 16 << 20
	partsInFlight = 2
)

// body is a file as it is sent.
type body struct {
	io.Reader
	close   func() error
	options bucket.CreateOptions
}

// newBody compresses what is in memory at once, to be sent in one request. A longer file is compressed while it is
// sent, in parts. parts may ask for parts earlier.
func newBody(f *file, c codec.Codec, level codec.Level, parts Parts) (*body, error) {
	inParts := bucket.CreateOptions{PartSize: partSize, PartsInFlight: partsInFlight}
	if parts.Size > 0 {
		inParts = bucket.CreateOptions{PartSize: parts.Size, PartsInFlight: parts.InFlight}
	}
	if f.data == nil {
		return stream(f, c, level, inParts)
	}
	data := f.data
	if c != codec.None {
		var packed bytes.Buffer
		packed.Grow(len(f.data) / 2)
		if err := compress(&packed, bytes.NewReader(f.data), c, level); err != nil {
			return nil, err
		}
		data = packed.Bytes()
	}
	b := &body{
		Reader:  bucket.NewBytes(data),
		close:   func() error { return nil },
		options: bucket.CreateOptions{SingleShot: true, PartSize: int64(len(data))},
	}
	if parts.LongerThan > 0 && int64(len(data)) > parts.LongerThan {
		b.options = inParts
	}
	return b, nil
}

func compress(w io.Writer, r io.Reader, c codec.Codec, level codec.Level) error {
	zw, err := c.NewWriter(w, level)
	if err != nil {
		return err
	}
	if _, err := io.Copy(zw, r); err != nil {
		return errors.Join(err, zw.Close())
	}
	return zw.Close()
}

// stream reads the file a second time. When that gives other bytes than the first time, the body ends in an error, so
// that nothing is stored.
func stream(f *file, c codec.Codec, level codec.Level, inParts bucket.CreateOptions) (*body, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	out, pipe := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sum := sha256.New()
		// The digest is compared before Close ends the compressed stream.
		same := readerFunc(func(p []byte) (int, error) {
			n, err := in.Read(p)
			sum.Write(p[:n])
			if got := hex.EncodeToString(sum.Sum(nil)); err == io.EOF && got != f.digest() {
				err = fmt.Errorf("%s has changed while it was archived: SHA-256 %s, then %s", f.path, f.digest(), got)
			}
			return n, err
		})
		pipe.CloseWithError(compress(pipe, same, c, level))
	}()
	return &body{
		Reader: out,
		close: func() error {
			out.CloseWithError(io.ErrClosedPipe)
			<-done
			return in.Close()
		},
		options: inParts,
	}, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
