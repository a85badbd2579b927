package walrestore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

// maxSegment is PostgreSQL's largest segment; nothing longer is written, whatever an object holds.
const maxSegment = 1 << 30

// fetch downloads the object, decompresses it and puts it at to when it is found to be what its name says.
func (r Request) fetch(ctx context.Context, obj bucket.Object, to string, durable bool) (record, error) {
	in, described, err := r.Bucket.Open(ctx, obj.Key, obj.Version, 0, -1)
	if err != nil {
		return record{}, err
	}
	defer in.Close()
	content, err := codec.BySuffix(obj.Key).NewReader(in)
	if err != nil {
		return record{}, fmt.Errorf("read %s/%s: %w", r.Bucket.URL(), obj.Key, err)
	}
	defer content.Close()
	out, err := newFile(to)
	if err != nil {
		return record{}, err
	}
	defer out.discard()
	if err := out.copy(content); err != nil {
		return record{}, fmt.Errorf("restore %s/%s: %w", r.Bucket.URL(), obj.Key, err)
	}
	if err := out.check(path.Base(obj.Key), described.Metadata[walarchive.DigestKey]); err != nil {
		return record{}, fmt.Errorf("%s/%s: %w: %w", r.Bucket.URL(), obj.Key, ErrContent, err)
	}
	rec := record{Vault: r.Bucket.URL(), Key: obj.Key, Version: described.Version, SHA256: out.digest}
	if h, err := walfile.ParseHeader(out.first); err == nil {
		rec.SystemID = h.SystemID
	}
	return rec, out.place(to, durable)
}

// file is a WAL file that is being written beside the place where it is to stand.
type file struct {
	*os.File
	size   int64
	digest string
	first  []byte // of the content, as much as a check needs
}

// leftOver is the age from which on a temporary file is what a killed process left.
const leftOver = time.Hour

// newFile makes the temporary file, and removes those that were left behind.
func newFile(to string) (*file, error) {
	pattern := "." + filepath.Base(to) + ".pgseal-*"
	old, _ := filepath.Glob(filepath.Join(filepath.Dir(to), pattern)) // its one error is a directory's odd name
	for _, name := range old {
		if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > leftOver {
			if err := os.Remove(name); err != nil {
				return nil, err
			}
		}
	}
	f, err := os.CreateTemp(filepath.Dir(to), pattern) // readable by its owner alone, as PostgreSQL's own
	if err != nil {
		return nil, err
	}
	return &file{File: f}, nil
}

// copy writes all of r.
func (f *file) copy(r io.Reader) error { return f.read(r, f.File) }

// read passes all of r on, and remembers its digest and its beginning.
func (f *file) read(r io.Reader, to io.Writer) error {
	sum, head := sha256.New(), &bytes.Buffer{}
	beginning := io.TeeReader(io.LimitReader(r, walfile.MaxHistory+1), head)
	n, err := io.CopyBuffer(io.MultiWriter(to, sum), io.LimitReader(io.MultiReader(beginning, r), maxSegment+1), make([]byte, 256<<10))
	f.size, f.digest, f.first = n, hex.EncodeToString(sum.Sum(nil)), head.Bytes()
	if err == nil && n > maxSegment {
		err = fmt.Errorf("%w: it has more than %d bytes", ErrContent, maxSegment)
	}
	return err
}

// check holds the content against the object's name, and against its digest where it has one: stock barman's have none.
func (f *file) check(object, digest string) error {
	name, _ := layout.SplitWAL(object)
	if digest != "" && digest != f.digest {
		return fmt.Errorf("SHA-256 %s, and %s was archived", f.digest, digest)
	}
	switch layout.KindOfWAL(name) {
	case layout.WALSegment, layout.WALPartial:
		_, err := walfile.CheckFile(name[:24], f.size, f.first)
		return err
	case layout.WALHistory:
		timeline, err := strconv.ParseUint(name[:8], 16, 32)
		if err != nil {
			return err
		}
		_, err = walfile.ParseHistory(uint32(timeline), f.first)
		return err
	}
	if f.size == 0 || f.size > walfile.MaxHistory {
		return fmt.Errorf("it has %d bytes, and PostgreSQL writes 1 to %d there", f.size, walfile.MaxHistory)
	}
	return nil
}

// place gives the file its name; if it is to be durable, after its content is on disk.
func (f *file) place(to string, durable bool) error {
	if !durable {
		return errors.Join(f.Close(), os.Rename(f.Name(), to))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return durableRename(f.Name(), to)
}

// durableRename is over when the new name is on disk.
func durableRename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// discard removes what was not placed; afterwards it does nothing.
func (f *file) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}
