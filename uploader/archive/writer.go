// Package archive writes the tars of a base backup, each of them sent to the
// vault while it is being written: tar, codec, digest, bandwidth, store. There
// are no temporary files; a slow store slows the reading.
//
// The format is USTAR where it suffices and PAX where it does not (long, odd or
// non-ASCII names, files from 8 GiB on, large owner numbers), which barman's
// readers, GNU tar and PostgreSQL's own tools all read.
package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// Options are the same for all writers of one backup.
type Options struct {
	Vault bucket.Bucket
	// Dir is what stands before the archives' names in their keys:
	// layout.BackupDir.
	Dir   string
	Codec codec.Codec
	Level codec.Level
	// Create goes with every object.
	Create bucket.CreateOptions
	// Limit bounds the stored bytes per second of all writers that share it;
	// nil for no limit. See NewLimit.
	Limit *rate.Limiter
	// Stored counts the bytes sent by all writers that share it.
	Stored *atomic.Int64
}

const (
	copySize = 256 << 10
	sendSize = 256 << 10
)

// Writer writes one archive at a time, any number one after the other. It is
// used by one goroutine. After an error only Abort may follow.
type Writer struct {
	o      *Options
	owners owners
	buf    []byte
	send   *bufio.Writer
	up     *upload // nil between archives
	tar    *tar.Writer
	zip    io.WriteCloser
}

// NewWriter returns a writer without an archive.
func NewWriter(o *Options) *Writer {
	return &Writer{o: o, owners: owners{}, buf: make([]byte, copySize), send: bufio.NewWriterSize(nil, sendSize)}
}

// Begin begins an archive; its upload begins with the first bytes. name's
// suffix must be the codec's. A cancelled ctx ends the upload, and all calls
// with the context's cause.
func (w *Writer) Begin(ctx context.Context, name layout.Archive) error {
	if w.up != nil {
		return errors.New("the archive before is still open")
	}
	up := startUpload(ctx, w.o, name)
	w.send.Reset(up)
	zip, err := w.o.Codec.NewWriter(w.send, w.o.Level)
	if err != nil {
		up.abort(err)
		return err
	}
	w.up, w.zip, w.tar = up, zip, tar.NewWriter(zip)
	return nil
}

// Open tells whether an archive was begun and not closed.
func (w *Writer) Open() bool { return w.up != nil }

// Dir adds a directory.
func (w *Writer) Dir(e pgdata.Entry) error { return w.header(e, 0) }

// File adds a regular file of exactly size bytes, all of which r has to yield.
// e's own size does not matter.
func (w *Writer) File(e pgdata.Entry, size int64, r io.Reader) error {
	if err := w.header(e, size); err != nil {
		return err
	}
	// Not the reader's WriteTo nor the tar's ReadFrom: this buffer is reused.
	n, err := io.CopyBuffer(struct{ io.Writer }{w.tar}, struct{ io.Reader }{r}, w.buf)
	if err != nil {
		return w.failed(e.Name, err)
	}
	if n != size {
		return w.failed(e.Name, fmt.Errorf("%d bytes instead of %d: %w", n, size, io.ErrUnexpectedEOF))
	}
	return nil
}

func (w *Writer) header(e pgdata.Entry, size int64) error {
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: e.Name, Size: size, Mode: mode(e.Mode),
		Uid: e.UID, Gid: e.GID, Uname: w.owners.user(e.UID), Gname: w.owners.group(e.GID),
		ModTime: e.ModTime.Truncate(time.Second), // fractions would need 1 KiB of PAX for every file
	}
	if e.Kind == pgdata.Dir {
		h.Typeflag, h.Name = tar.TypeDir, e.Name+"/"
	}
	if err := w.tar.WriteHeader(h); err != nil {
		return w.failed(e.Name, err)
	}
	return nil
}

// mode is how a tar writes permission bits.
func mode(m fs.FileMode) int64 {
	bits := int64(m.Perm())
	for _, b := range []struct {
		has  fs.FileMode
		bits int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.has != 0 {
			bits |= b.bits
		}
	}
	return bits
}

// Stored is the number of bytes of the open archive that have left for the
// store so far. Some more wait in buffers.
func (w *Writer) Stored() int64 { return w.up.size }

// Close ends the archive and waits until the store has it. The object has the
// digests of the bytes that were sent, and what the store reported; a store
// that reports another size or checksum is bucket.ErrDiffers.
func (w *Writer) Close() (manifest.Object, error) {
	err := w.tar.Close()
	if err == nil {
		err = w.zip.Close()
	}
	if err == nil {
		err = w.send.Flush()
	}
	if err != nil {
		return manifest.Object{}, w.failed("", err)
	}
	up := w.up
	obj, err := up.finish()
	if err != nil {
		return manifest.Object{}, err
	}
	w.up = nil
	return manifest.Object{
		Name: up.name, Size: up.size, SHA256: hex.EncodeToString(up.sha.Sum(nil)), CRC32C: up.sum.CRC32C(),
		ETag: obj.ETag, Version: obj.Version,
	}, nil
}

// Abort gives the open archive up: nothing of it stays in the store. Without an
// open archive it does nothing.
func (w *Writer) Abort(cause error) {
	if w.up != nil {
		w.up.abort(cause)
		w.up = nil
	}
}

// failed says what an error in the middle of an archive comes from: the store,
// a cancelled context, or the file.
func (w *Writer) failed(name string, err error) error {
	if own := w.up.failure(); own != nil {
		return own
	}
	if name == "" {
		return fmt.Errorf("archive %s: %w", w.up.name, err)
	}
	return fmt.Errorf("archive %s: %q: %w", w.up.name, name, err)
}
