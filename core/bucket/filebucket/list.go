package filebucket

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/pgseal/pgseal/core/bucket"
)

// List yields the regular files whose keys begin with prefix, one directory in
// memory at a time. Links are no keys. Everything but the checksum of files
// that were brought here by hand is filled in.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		root, err := b.enter(ctx, "list", prefix)
		if err != nil {
			yield(bucket.Object{}, err)
			return
		}
		err = walk(ctx, root, dirOf(prefix), prefix, func(key string, e fs.DirEntry) error {
			fi, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // gone since the directory was read
			} else if err != nil {
				return err
			}
			side, err := readSidecar(root, key)
			if err != nil {
				return err
			}
			if !yield(object(key, fi, side), nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil && err != fs.SkipAll {
			yield(bucket.Object{}, b.fail("list", prefix, err))
		}
	}
}

// ListVersions is List: files have no versions.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return b.List(ctx, prefix)
}

// Dirs yields the directories below prefix that have a file somewhere below.
func (b *Bucket) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		root, err := b.enter(ctx, "list", prefix)
		if err != nil {
			yield("", err)
			return
		}
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			yield("", b.fail("list", prefix, badKey{"a prefix of directories ends with '/'"}))
			return
		}
		entries, err := readDir(root, dirOf(prefix))
		if err != nil {
			yield("", b.fail("list", prefix, err))
			return
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			below := prefix + e.Name() + "/"
			err := walk(ctx, root, dirOf(below), below, func(string, fs.DirEntry) error { return fs.SkipAll })
			switch {
			case err == fs.SkipAll:
				if !yield(e.Name(), nil) {
					return
				}
			case err != nil:
				yield("", b.fail("list", prefix, err))
				return
			}
		}
	}
}

// dirOf is the directory in which the keys of a prefix stand.
func dirOf(prefix string) string {
	i := strings.LastIndexByte(prefix, '/')
	if i < 0 {
		return "."
	}
	return prefix[:i]
}

// walk calls f for the regular files in dir and below whose keys begin with
// prefix, in the order of their keys, until f returns an error.
func walk(ctx context.Context, root *os.Root, dir, prefix string, f func(key string, e fs.DirEntry) error) error {
	entries, err := readDir(root, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := path.Join(dir, e.Name())
		switch {
		case e.IsDir() && (strings.HasPrefix(key+"/", prefix) || strings.HasPrefix(prefix, key+"/")):
			err = walk(ctx, root, key, prefix, f)
		case e.Type().IsRegular() && strings.HasPrefix(key, prefix):
			err = f(key, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDir returns what stands in dir and is not ours, in the order of the keys
// that begin so: a directory sorts as if its name ended with '/'. A directory
// that is not there is empty.
func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	if dir != "." && checkKey(dir) != nil {
		return nil, nil // no key begins so
	}
	d, err := root.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
			return nil, nil
		}
		return nil, err
	}
	defer d.Close()
	fi, err := d.Stat()
	if err != nil || !fi.IsDir() {
		return nil, err
	}
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return isOurs(e.Name()) })
	sortName := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(x, y fs.DirEntry) int { return strings.Compare(sortName(x), sortName(y)) })
	return entries, nil
}
