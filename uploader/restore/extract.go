package restore

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
)

const copySize = 256 << 10

// tree is a directory that is being filled. Nothing is written outside of it, whatever an archive says: os.Root follows
// no link that leads out.
type tree struct {
	root *os.Root
	hold *os.Root // where the files wait that come last; nil for a tablespace
	// fresh: no earlier call has written here, so that a file that is there was in another archive too.
	fresh bool
	sync  bool // everything is to be on disk in the end
}

// extractor unpacks archives, several at a time.
type extractor struct {
	base  string
	stock bool // not pgseal's: links are left out, not refused
	files *atomic.Int64
	owner *owner
	note  func(format string, args ...any)
	copy  []byte
}

// unpack fills t from one archive's decompressed bytes; without a t it only looks at them. made are the names of the
// files that wait in t.hold.
func (x *extractor) unpack(ctx context.Context, in io.Reader, t *tree) (made []string, err error) {
	if x.copy == nil {
		x.copy = make([]byte, copySize)
	}
	members := tar.NewReader(in)
	for n := 0; ; n++ {
		h, err := members.Next()
		if err == io.EOF {
			return made, nil
		}
		switch {
		case err != nil:
			return made, unreadableTar(err)
		case ctx.Err() != nil:
			return made, context.Cause(ctx)
		case n == maxEntries:
			return made, fmt.Errorf("%w: more than %d entries", ErrRefused, maxEntries)
		}
		m, take, note, err := inspect(h, x.base, x.stock)
		if err != nil {
			return made, err
		}
		if note != "" {
			x.note("%s", note)
		}
		if !take {
			continue
		}
		x.owner.see(h)
		if held, err := x.member(ctx, m, members, t); err != nil {
			return made, fmt.Errorf("entry %q: %w", m.name, err)
		} else if held {
			made = append(made, m.name)
		}
	}
}

// unreadableTar tells the archive's own faults from those of the store, which keep their kind.
func unreadableTar(err error) error {
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, codec.ErrCorrupt) {
		return fmt.Errorf("%w: no whole tar: %w", ErrDamaged, err)
	}
	return err
}

// member unpacks one entry.
func (x *extractor) member(ctx context.Context, m member, content io.Reader, t *tree) (held bool, err error) {
	if m.dir {
		if t == nil {
			return false, nil
		}
		return false, t.mkdir(m)
	}
	x.files.Add(1)
	if t == nil {
		err := x.write(ctx, io.Discard, content)
		return x.base == layout.Data && waits(m.name), err
	}
	root, name := t.root, m.name
	if held = t.hold != nil && waits(name); held {
		root, name = t.hold, path.Base(name)
	} else if err := t.parents(name); err != nil {
		return false, err
	}
	if !t.fresh || held {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, fmt.Errorf("%w: it is in the backup twice", ErrRefused)
	} else if err != nil {
		return false, err
	}
	err = x.write(ctx, f, content)
	if t.sync {
		startSync(f)
	}
	return held, errors.Join(err, f.Chmod(fs.FileMode(m.mode|0o400)), f.Close())
}

// write copies with a buffer that is used again, and stops when ctx ends.
func (x *extractor) write(ctx context.Context, to io.Writer, from io.Reader) error {
	for {
		n, rerr := from.Read(x.copy)
		if n > 0 {
			if _, err := to.Write(x.copy[:n]); err != nil {
				return err
			}
		}
		switch {
		case rerr == io.EOF:
			return nil
		case rerr != nil:
			return unreadableTar(rerr)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}

// mkdir makes a directory, or gives one its mode that is there because a file in it came first.
func (t *tree) mkdir(m member) error {
	mode := fs.FileMode(m.mode | 0o700)
	if m.name == "." {
		if mode != 0o750 {
			mode = 0o700 // PostgreSQL starts in no other
		}
		return t.root.Chmod(".", mode)
	}
	if err := t.parents(m.name); err != nil {
		return err
	}
	if err := t.root.Mkdir(m.name, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if info, err := t.root.Lstat(m.name); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%w: it is a directory, and another entry is a file of its name", ErrRefused)
	}
	return t.root.Chmod(m.name, mode)
}

func (t *tree) parents(name string) error {
	dir := path.Dir(name)
	if dir == "." {
		return nil
	}
	if _, err := t.root.Lstat(dir); err == nil {
		return nil
	}
	return t.root.MkdirAll(dir, 0o700)
}

// owner remembers whose files were backed up, for a restore by root. It is the first that is not root: barman stores
// backup_label as root's.
type owner struct {
	mu       sync.Mutex
	uid, gid int
	user     string
}

func (o *owner) see(h *tar.Header) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.uid == 0 && h.Uid > 0 && h.Uid < 1<<31 && h.Gid >= 0 && h.Gid < 1<<31 {
		o.uid, o.gid, o.user = h.Uid, h.Gid, strings.ToValidUTF8(h.Uname, "")
	}
}
