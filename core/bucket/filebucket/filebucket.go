// Package filebucket is the driver for file:// URLs: a directory that behaves
// as a store with a lock, so that everything can be tried without a cloud.
//
// An object stands in a plain file under its own key. What a file cannot carry
// (checksum, retention, metadata) stands beside it in a sidecar:
//
//	<root>/<key>                             the bytes; read-only in a vault
//	<root>/.pgseal/lock.json                 makes the directory a vault; see Init
//	<root>/.pgseal/meta/<key>.pgseal-object  the sidecar, in JSON
//	<root>/.pgseal/tmp/                      what is being written
//	<root>/.pgseal/commit.lock               held (flock) for the moment in which a key appears
//
// The lock keeps pgseal, and whoever respects permission bits, from changing an
// object. It cannot stop the owner of the directory from deleting it: for that
// the vault must be somebody else's.
package filebucket

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

const (
	ours       = ".pgseal"
	lockFile   = ours + "/lock.json"
	commitFile = ours + "/commit.lock"
	metaDir    = ours + "/meta"
	tmpDir     = ours + "/tmp"
	// sidecarEnd marks names that are ours outside of .pgseal/ too, so that no
	// sidecar can have the name of a directory of other sidecars.
	sidecarEnd = ".pgseal-object"

	dirMode  = 0o750 // as the umask allows: backups are not for everybody's eyes
	fileMode = 0o640

	abandonedAfter = 24 * time.Hour
)

// Bucket is a directory as a bucket.Bucket. It has no versions: Object.Version
// is always "".
type Bucket struct {
	dir string
	url string
	now func() time.Time

	mu   sync.Mutex
	root *os.Root // opened by the first call that finds the directory
}

var _ bucket.Bucket = (*Bucket)(nil)

// Option changes how a Bucket behaves.
type Option func(*Bucket)

// WithClock makes now the store's clock, for tests of retention.
func WithClock(now func() time.Time) Option { return func(b *Bucket) { b.now = now } }

// Open returns the directory that a URL names, such as file:///srv/vault.
// ErrInvalid: not such a URL. The directory is not looked at yet; if it is
// missing, each method says ErrNotFound, as a cloud does for a missing bucket.
func Open(rawURL string, opts ...Option) (*Bucket, error) {
	dir, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	b := &Bucket{dir: dir, url: formatURL(dir), now: time.Now}
	for _, o := range opts {
		o(b)
	}
	return b, nil
}

// URL is the place with a clean, absolute path.
func (b *Bucket) URL() string { return b.url }

// enter begins every call: it sees whether the call is still wanted and opens
// the directory.
func (b *Bucket) enter(ctx context.Context, op, key string) (*os.Root, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail(op, key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.root != nil {
		return b.root, nil
	}
	root, err := os.OpenRoot(b.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &bucket.Error{Op: op, Key: b.at(key), Kind: bucket.ErrNotFound,
			Code: "there is no directory " + b.dir + "; mount it, or make it first", Err: err}
	} else if err != nil {
		return nil, b.fail(op, key, err)
	}
	b.root = root
	removeAbandoned(root, b.now().Add(-abandonedAfter))
	return root, nil
}

// removeAbandoned deletes what writers that were killed left half written. It
// is housekeeping only: nothing lists these files, and who may not delete them
// need not.
func removeAbandoned(root *os.Root, before time.Time) {
	d, err := root.Open(tmpDir)
	if err != nil {
		return
	}
	defer d.Close()
	entries, _ := d.ReadDir(-1)
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() && fi.ModTime().Before(before) {
			_ = root.Remove(path.Join(tmpDir, e.Name()))
		}
	}
}

// CheckCreate makes nameless trial files where a create of key would write,
// and removes them.
func (b *Bucket) CheckCreate(ctx context.Context, key string) error {
	root, err := b.enter(ctx, "check", key)
	if err != nil {
		return err
	}
	if err := checkKey(key); err != nil {
		return b.fail("check", key, err)
	}
	dir := path.Dir(key)
	for ; dir != "."; dir = path.Dir(dir) { // the nearest directory that is there
		if _, err := root.Stat(dir); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return b.fail("check", key, err)
		}
	}
	if err := makeDirs(root, tmpDir); err != nil {
		return b.fail("check", key, err)
	}
	for _, d := range []string{tmpDir, dir} {
		name := path.Join(d, tmpName())
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return b.fail("check", key, err)
		}
		if err := errors.Join(f.Close(), root.Remove(name)); err != nil {
			return b.fail("check", key, err)
		}
	}
	return nil
}
