package filebucket

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Remover is the deleting side of b.
func Remover(b *Bucket) bucket.Remover { return remover{b} }

type remover struct{ b *Bucket }

// Removable looks at the sidecar.
func (r remover) Removable(ctx context.Context, o bucket.Object) error {
	f, _, side, err := r.b.look(ctx, "remove", o.Key, o.Version)
	if err != nil {
		return err
	}
	return errors.Join(r.retained(o.Key, side), f.Close())
}

func (r remover) retained(key string, side *sidecar) error {
	if side == nil || !side.RetainUntil.After(r.b.now()) {
		return nil
	}
	return &bucket.Error{Op: "remove", Key: r.b.at(key), Kind: bucket.ErrRetained, Code: "until " + side.RetainUntil.UTC().Format(time.RFC3339)}
}

// Remove deletes the file, then its sidecar, then the directories that are empty
// now. No key appears meanwhile.
func (r remover) Remove(ctx context.Context, o bucket.Object) error {
	root, err := r.b.enter(ctx, "remove", o.Key)
	if err != nil {
		return err
	}
	if err := makeDirs(root, ours); err != nil {
		return r.b.fail("remove", o.Key, err)
	}
	done, err := serialize(root)
	if err != nil {
		return r.b.fail("remove", o.Key, err)
	}
	defer done()
	f, fi, side, err := r.b.look(ctx, "remove", o.Key, o.Version)
	if err != nil {
		return err
	}
	if err := errors.Join(r.retained(o.Key, side), f.Close()); err != nil {
		return err
	}
	if object(o.Key, fi, side).ETag != o.ETag {
		return &bucket.Error{Op: "remove", Key: r.b.at(o.Key), Kind: bucket.ErrDiffers, Code: "it was written anew"}
	}
	if err := root.Remove(o.Key); err != nil {
		return r.b.failRead("remove", o.Key, err)
	}
	if err := syncDir(root, path.Dir(o.Key)); err != nil {
		return r.b.fail("remove", o.Key, err)
	}
	if err := root.Remove(sidecarName(o.Key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r.b.fail("remove", o.Key, err)
	}
	removeEmpty(root, path.Dir(o.Key), ".")
	removeEmpty(root, path.Dir(sidecarName(o.Key)), metaDir)
	return nil
}

// removeEmpty removes dir and those above it, up to end, as long as they are
// empty. It is housekeeping: an empty directory is nothing to anybody.
func removeEmpty(root *os.Root, dir, end string) {
	for ; dir != end && dir != "."; dir = path.Dir(dir) {
		if root.Remove(dir) != nil {
			return
		}
	}
}

// Hide is refused: files have no versions.
func (r remover) Hide(_ context.Context, key string) error {
	return &bucket.Error{Op: "hide", Key: r.b.at(key), Kind: bucket.ErrInvalid, Code: "files have no versions"}
}
