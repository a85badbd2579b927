package filebucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Create writes r to a file without a key, brings it to the disk, and gives it
// its key by link(2), which fails if the name is taken. A writer killed before
// that leaves no object, only a file under .pgseal/tmp that a later Open
// removes.
func (b *Bucket) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	obj, err := b.store(ctx, key, r, o, false)
	if err != nil {
		return bucket.Object{}, b.fail("create", key, err)
	}
	return obj, nil
}

// Put is Create without the condition, in directories without a lock. In a
// vault it is ErrRetained or ErrExists if something stands at key.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) (bucket.Object, error) {
	obj, err := b.store(ctx, key, bytes.NewReader(body), bucket.CreateOptions{}, true)
	if err != nil {
		return bucket.Object{}, b.fail("put", key, err)
	}
	return obj, nil
}

func (b *Bucket) store(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions, replace bool) (bucket.Object, error) {
	root, err := b.enter(ctx, "create", key)
	if err != nil {
		return bucket.Object{}, err
	}
	if err := checkKey(key); err != nil {
		return bucket.Object{}, err
	}
	lock, err := readLock(root)
	locked := err == nil
	if err != nil && !errors.Is(err, errUnlocked) {
		return bucket.Object{}, err
	}
	now := b.now()
	until := o.RetainUntil
	switch {
	case !until.IsZero() && !locked:
		return bucket.Object{}, errUnlocked
	case !until.IsZero() && until.Before(now):
		return bucket.Object{}, badKey{"retention would end in the past, at " + until.UTC().Format(time.RFC3339)}
	case until.IsZero() && lock.Default > 0:
		until = now.Add(lock.Default)
	}
	limit := int64(-1)
	if o.SingleShot && o.PartSize > 0 {
		limit = o.PartSize
	}
	tmp, side, err := b.spool(ctx, root, key, r, limit, now, locked)
	if err != nil {
		return bucket.Object{}, err
	}
	defer root.Remove(tmp) // after link(2) it has its key
	side.RetainUntil, side.Metadata, side.Tags = until, o.Metadata, o.Tags
	return b.commit(root, key, tmp, side, replace && !locked)
}

// spool writes r to a file under .pgseal/tmp, all of it or nothing, and returns
// the file's name.
func (b *Bucket) spool(ctx context.Context, root *os.Root, key string, r io.Reader, limit int64, now time.Time, locked bool) (_ string, side sidecar, err error) {
	if err := makeDirs(root, tmpDir); err != nil {
		return "", side, err
	}
	name := path.Join(tmpDir, tmpName())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", side, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Remove(name))
		}
	}()
	defer func() { err = errors.Join(err, f.Close()) }()

	body := io.Reader(&watched{ctx: ctx, r: callers{r}})
	if limit >= 0 {
		body = io.LimitReader(body, limit+1)
	}
	sum := crc32.New(castagnoli)
	side.Size, err = io.CopyBuffer(io.MultiWriter(f, sum), body, make([]byte, 256<<10))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", side, err
	}
	if limit >= 0 && side.Size > limit {
		return "", side, &bucket.Error{Op: "create", Key: b.at(key), Kind: bucket.ErrTooLarge, Code: fmt.Sprintf("more than %d bytes", limit)}
	}
	side.CRC32C = fmt.Sprintf("%08x", sum.Sum32())
	// The bytes first, which may take long: a file whose time is old is taken for
	// one that was left behind, and the time that counts is the end's anyway.
	if err := f.Sync(); err != nil {
		return "", side, err
	}
	if err := root.Chtimes(name, now, now); err != nil {
		return "", side, err
	}
	fi, err := f.Stat()
	if err != nil {
		return "", side, err
	}
	side.Created = fi.ModTime() // as precise as the file system keeps it
	if locked {
		if err := f.Chmod(fi.Mode() &^ 0o222); err != nil {
			return "", side, err
		}
	}
	return name, side, f.Sync()
}

// commit gives the file tmp its key. The sidecar goes first, so that no object
// is ever seen without one; a sidecar alone means nothing.
func (b *Bucket) commit(root *os.Root, key, tmp string, side sidecar, replace bool) (bucket.Object, error) {
	done, err := serialize(root)
	if err != nil {
		return bucket.Object{}, err
	}
	defer done()
	if err := makeDirs(root, path.Dir(key)); err != nil { // Remove takes empty ones away
		return bucket.Object{}, err
	}
	if _, err := root.Lstat(key); err == nil && !replace {
		return bucket.Object{}, b.taken(root, key)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bucket.Object{}, err
	}
	if err := writeSidecar(root, key, side); err != nil {
		return bucket.Object{}, err
	}
	if replace {
		err = root.Rename(tmp, key)
	} else {
		err = root.Link(tmp, key)
	}
	switch {
	case errors.Is(err, fs.ErrExist): // put there by hand in this very moment
		return bucket.Object{}, errors.Join(b.taken(root, key), root.Remove(sidecarName(key)))
	case err != nil:
		return bucket.Object{}, errors.Join(err, root.Remove(sidecarName(key)))
	}
	if err := settle(root, key); err != nil {
		return bucket.Object{}, err
	}
	fi, err := root.Lstat(key)
	if err != nil {
		return bucket.Object{}, err
	}
	return object(key, fi, &side), nil
}

// taken is the refusal to write over what stands at key. It is on the disk then.
func (b *Bucket) taken(root *os.Root, key string) error {
	if err := settle(root, key); err != nil {
		return err
	}
	e := &bucket.Error{Op: "create", Key: b.at(key), Kind: bucket.ErrExists, Code: "file exists"}
	side, err := readSidecar(root, key)
	if err != nil {
		e.Err = err
	}
	if side != nil && side.RetainUntil.After(b.now()) {
		e.Kind, e.Code = bucket.ErrRetained, "file exists, under retention until "+side.RetainUntil.UTC().Format(time.RFC3339)
	}
	return e
}

// watched ends a body when its context ends.
type watched struct {
	ctx context.Context
	r   io.Reader
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

// callers marks what the caller's reader says: it is no refusal of the store's.
type callers struct{ r io.Reader }

func (c callers) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		err = bodyError{err}
	}
	return n, err
}

type bodyError struct{ error }

func (e bodyError) Unwrap() error { return e.error }
