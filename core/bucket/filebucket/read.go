package filebucket

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Open reads a file. There are no versions: any version but "" is ErrNotFound.
func (b *Bucket) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	f, fi, side, err := b.look(ctx, "read", key, version)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, bucket.Object{}, b.fail("read", key, errors.Join(err, f.Close()))
	}
	r := &body{Reader: &watched{ctx: ctx, r: f}, f: f}
	if length >= 0 {
		r.Reader = io.LimitReader(r.Reader, length)
	}
	return r, object(key, fi, side), nil
}

// body is a range of an open file.
type body struct {
	io.Reader
	f *os.File
}

func (r *body) Close() error { return r.f.Close() }

// Stat describes a file and its sidecar; the file's name is on the disk when it
// returns. The checksum of a file without one, or that is not as its sidecar
// says, is computed from its bytes.
func (b *Bucket) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	f, fi, side, err := b.look(ctx, "stat", key, version)
	if err != nil {
		return bucket.Object{}, err
	}
	defer f.Close()
	if err := settle(b.root, key); err != nil {
		return bucket.Object{}, b.fail("stat", key, err)
	}
	obj := object(key, fi, side)
	if obj.CRC32C == "" {
		if obj.CRC32C, err = sumFile(ctx, f); err != nil {
			return bucket.Object{}, b.fail("stat", key, err)
		}
	}
	return obj, nil
}

func sumFile(ctx context.Context, f *os.File) (string, error) {
	sum := crc32.New(castagnoli)
	if _, err := io.CopyBuffer(sum, &watched{ctx: ctx, r: f}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%08x", sum.Sum32()), nil
}

// look opens the file of key and reads its sidecar, in this order: a sidecar
// of newer bytes does not describe the open file, and object sees that.
func (b *Bucket) look(ctx context.Context, op, key, version string) (*os.File, fs.FileInfo, *sidecar, error) {
	root, err := b.enter(ctx, op, key)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, nil, nil, b.failRead(op, key, err)
	}
	notFound := func(why string) error {
		return &bucket.Error{Op: op, Key: b.at(key), Kind: bucket.ErrNotFound, Code: why}
	}
	if version != "" {
		return nil, nil, nil, notFound("files have no versions")
	}
	fi, err := root.Lstat(key)
	if err != nil {
		return nil, nil, nil, b.failRead(op, key, err)
	}
	if !fi.Mode().IsRegular() { // directories, links, pipes
		return nil, nil, nil, notFound("not a regular file")
	}
	f, err := root.Open(key)
	if err != nil {
		return nil, nil, nil, b.failRead(op, key, err)
	}
	fi, err = f.Stat()
	if err != nil {
		return nil, nil, nil, b.fail(op, key, errors.Join(err, f.Close()))
	}
	side, err := readSidecar(root, key)
	if err != nil {
		return nil, nil, nil, b.fail(op, key, errors.Join(err, f.Close()))
	}
	return f, fi, side, nil
}

// Retain writes a later end into the sidecar. ErrInvalid: the directory has no
// lock, or the end is in the past.
func (b *Bucket) Retain(ctx context.Context, key, version string, until time.Time) error {
	f, fi, _, err := b.look(ctx, "retain", key, version)
	if err != nil {
		return err
	}
	defer f.Close()
	root, err := b.enter(ctx, "retain", key)
	if err != nil {
		return err
	}
	if _, err := readLock(root); err != nil {
		return b.fail("retain", key, err)
	}
	done, err := serialize(root)
	if err != nil {
		return b.fail("retain", key, err)
	}
	defer done()
	side, err := readSidecar(root, key)
	if err != nil {
		return b.fail("retain", key, err)
	}
	switch {
	case side != nil && until.Before(side.RetainUntil):
		return &bucket.Error{Op: "retain", Key: b.at(key), Kind: bucket.ErrRetained,
			Code: "retention can only be extended; it ends " + side.RetainUntil.UTC().Format(time.RFC3339)}
	case until.Before(b.now()):
		return b.fail("retain", key, badKey{"retention would end in the past, at " + until.UTC().Format(time.RFC3339)})
	}
	if !side.describes(fi) { // brought here by hand
		sum, err := sumFile(ctx, f)
		if err != nil {
			return b.fail("retain", key, err)
		}
		side = &sidecar{Size: fi.Size(), CRC32C: sum, Created: fi.ModTime()}
	}
	side.RetainUntil = until
	if err := f.Chmod(fi.Mode() &^ 0o222); err != nil {
		return b.fail("retain", key, err)
	}
	if err := writeSidecar(root, key, *side); err != nil {
		return b.fail("retain", key, err)
	}
	return nil
}
