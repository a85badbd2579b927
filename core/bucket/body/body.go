// Package body reads what is to be stored, part after part, for the drivers
// that send it so.
package body

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pgseal/pgseal/core/bucket"
)

// Buffers lends memory for parts, and lends it again. The zero value is ready. It
// keeps what was returned, so that there are never more than were lent at one
// time: a pool that the garbage collector empties would need half as many again.
type Buffers struct {
	mu   sync.Mutex
	free [][]byte
}

// Lend lends a buffer of that length.
func (b *Buffers) Lend(size int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := len(b.free); n > 0; n = len(b.free) {
		buf := b.free[n-1]
		b.free[n-1], b.free = nil, b.free[:n-1]
		if int64(cap(buf)) >= size {
			return buf[:size]
		}
		// Parts only grow: it is of no more use.
	}
	return make([]byte, size)
}

// Return takes a buffer back; nobody may use it any more.
func (b *Buffers) Return(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, buf)
}

// Fill reads until p is full (nil) or the body has ended (io.EOF, n bytes read).
// It looks at ctx between reads; a reader that blocks delays its return.
func Fill(ctx context.Context, r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		var got int
		got, err = r.Read(p[n:])
		n += got
	}
	if n == len(p) && err == io.EOF {
		err = nil // the next call meets the end again
	}
	return n, err
}

// Begin lends a buffer with the first bytes of a body, size at most. rest is
// nil when these are all, and else gives those that follow. After an error
// nothing is lent. A bucket.Bytes that fits is not copied and stays its
// caller's, so that Return must not get what is all of a body; done takes it
// back where it was lent.
func (b *Buffers) Begin(ctx context.Context, r io.Reader, size int64) (first []byte, rest io.Reader, done func(), err error) {
	if in, ok := r.(*bucket.Bytes); ok && int64(in.Len()) <= size {
		return in.Rest(), nil, func() {}, ctx.Err()
	}
	buf := b.Lend(size)
	done = func() { b.Return(buf) }
	n, err := Fill(ctx, r, buf)
	if err == io.EOF {
		return buf[:n], nil, done, nil
	}
	if err == nil { // full: is there more?
		var next [1]byte
		switch _, err = Fill(ctx, r, next[:]); err {
		case io.EOF:
			return buf, nil, done, nil
		case nil:
			return buf, io.MultiReader(bytes.NewReader(next[:]), r), done, nil
		}
	}
	b.Return(buf)
	return nil, nil, nil, err
}

// Next lends a buffer with part number n (from 1) of a body that began with
// parts of the given length; nil when the body has ended. After an error nothing
// is lent.
func (b *Buffers) Next(ctx context.Context, r io.Reader, s Sizes, first int64, n int) ([]byte, error) {
	size, tooLong := s.Of(first, n)
	if tooLong != nil {
		size = 1 // a body that ends right here is none too long
	}
	buf := b.Lend(size)
	got, err := Fill(ctx, r, buf)
	switch {
	case err != nil && err != io.EOF:
	case got > 0 && tooLong != nil:
		err = tooLong
	case got > 0:
		return buf[:got], nil
	default:
		err = nil
	}
	b.Return(buf)
	return nil, err
}

// Error is why a create failed whose body could not be read: ctx's own error
// when that is over, ErrTooLarge for more parts than the store takes, and else
// ErrInvalid, which wraps the reader's. name is the object.
func Error(ctx context.Context, name string, err error) error {
	var tooLong *tooLongError
	switch {
	case errors.As(err, &tooLong):
		return &bucket.Error{Op: "create", Key: name, Kind: bucket.ErrTooLarge, Code: tooLong.Error()}
	case ctx.Err() != nil:
		return fmt.Errorf("create %s: %w", name, ctx.Err())
	}
	return &bucket.Error{Op: "create", Key: name, Kind: bucket.ErrInvalid, Err: fmt.Errorf("its content cannot be read: %w", err)}
}
