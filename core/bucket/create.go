package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CreateOrMatch creates key with body, in one request. When the store says
// that something is there already, or an answer was lost, it reads and
// compares: the same bytes are a success, as the store may have kept an
// earlier try whose answer never arrived. ErrDiffers: other bytes are there.
func CreateOrMatch(ctx context.Context, b Bucket, key string, body []byte, o CreateOptions) (Object, error) {
	o.SingleShot = true
	o.PartSize = max(o.PartSize, int64(len(body)))
	obj, err := b.Create(ctx, key, NewBytes(body), o)
	if err == nil || !undecided(err) {
		return obj, err
	}
	have, obj, readErr := ReadAll(ctx, b, key, "", int64(len(body)))
	switch {
	case errors.Is(readErr, ErrNotFound) && !Exists(err):
		return Object{}, err
	case errors.Is(readErr, ErrTooLarge) || readErr == nil && !bytes.Equal(have, body):
		return obj, differs(b, key, obj, err)
	case readErr != nil:
		return Object{}, fmt.Errorf("%w; and what is there could not be read to compare: %w", err, readErr)
	}
	if obj.CRC32C == "" || !obj.RetentionSeen {
		return b.Stat(ctx, key, obj.Version)
	}
	return obj, nil
}

// CreateStream is CreateOrMatch for bodies of any length: what is there is
// compared by the size and the CRC-32C that the store reports for it.
// Callers learn both from the returned Object, or know them by themselves from
// r, if that is a *Summed.
func CreateStream(ctx context.Context, b Bucket, key string, r io.Reader, o CreateOptions) (Object, error) {
	sum, ok := r.(*Summed)
	if !ok {
		sum = NewSummed(r)
	}
	obj, err := b.Create(ctx, key, sum, o)
	if err == nil || !undecided(err) || !Exists(err) && !sum.ended {
		return obj, err
	}
	if !sum.ended { // refused early: what is there may still be the same
		if _, readErr := io.Copy(io.Discard, sum); readErr != nil {
			return Object{}, fmt.Errorf("%w; and the body could not be read to compare: %w", err, readErr)
		}
	}
	have, statErr := b.Stat(ctx, key, "")
	switch {
	case errors.Is(statErr, ErrNotFound) && !Exists(err):
		return Object{}, err
	case statErr != nil:
		return Object{}, fmt.Errorf("%w; and what is there could not be seen to compare: %w", err, statErr)
	}
	if have.Size != sum.size || have.CRC32C != sum.CRC32C() {
		return have, differs(b, key, have, err)
	}
	return have, nil
}

// undecided tells whether, after this error of a create, the bytes may stand
// there all the same: from an earlier try, or because an answer was lost.
func undecided(err error) bool { return Exists(err) || errors.Is(err, ErrUnavailable) }

func differs(b Bucket, key string, have Object, err error) error {
	e := &Error{Op: "create", Key: b.URL() + "/" + key, Kind: ErrDiffers, Err: err}
	if !have.RetainUntil.IsZero() {
		e.Code = "under retention until " + have.RetainUntil.UTC().Format("2006-01-02 15:04:05Z")
	}
	return e
}

// Summed counts and checksums what is read through it.
type Summed struct {
	r     io.Reader
	size  int64
	crc   uint32
	ended bool
}

// NewSummed returns a reader of r.
func NewSummed(r io.Reader) *Summed { return &Summed{r: r} }

// Read implements io.Reader.
func (s *Summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.size += int64(n)
	s.crc = crc32.Update(s.crc, castagnoli, p[:n])
	s.ended = s.ended || err == io.EOF
	return n, err
}

// CRC32C is the checksum of what was read, as an Object has it.
func (s *Summed) CRC32C() string { return fmt.Sprintf("%08x", s.crc) }
