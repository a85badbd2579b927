package pgdata

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// A File delivers exactly Size bytes: the size at the time of opening. What
// was appended since is cut off (WAL replay brings it back), what was
// truncated since is padded with zeros, as pg_basebackup does.
type File struct {
	// Size in bytes, for the tar header.
	Size int64

	f      *os.File
	name   string
	read   int64
	padded int64
	pages  *pages // nil: not verified
}

// Open opens the file of e for one sequential reading. A file that is gone
// gives an error that is fs.ErrNotExist: leave it out of the archive.
func Open(e Entry) (*File, error) {
	// O_NONBLOCK: a pipe that took the file's place must not hold up the backup.
	f, err := os.OpenFile(e.Path, os.O_RDONLY|syscall.O_NONBLOCK|noAtime, 0)
	if errors.Is(err, syscall.EPERM) {
		// Only the owner may leave the access time alone.
		f, err = os.OpenFile(e.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, explainDenied(e.Path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%q became a %s while the backup ran", e.Path, info.Mode().Type())
	}
	adviseSequential(f)
	return &File{Size: info.Size(), f: f, name: e.Name}, nil
}

// Verify has the pages of a relation verified while they are read; other files
// are left alone. It comes before the first Read.
func (f *File) Verify(p Pages) {
	segment, ok := relationSegment(f.name)
	if !ok || p.Size <= 0 {
		return
	}
	f.pages = &pages{Pages: p, segment: segment, reread: func(page []byte, at int64) error {
		_, err := f.f.ReadAt(page, at)
		return err
	}}
}

// Corrupt is the number of pages so far that failed their checksums.
func (f *File) Corrupt() int64 {
	if f.pages == nil {
		return 0
	}
	return f.pages.corrupt
}

// Read implements io.Reader; io.EOF comes after exactly Size bytes. An error of
// the device is an error, never padding.
func (f *File) Read(p []byte) (int, error) {
	left := f.Size - f.read
	if left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.padded == 0 {
		n, err := f.f.Read(p)
		f.read += int64(n)
		if f.pages != nil {
			f.pages.write(p[:n])
		}
		if n > 0 || (err != nil && err != io.EOF) {
			return n, err
		}
	}
	// Once it has ended it stays ended: bytes that are appended now would come
	// behind the zeros, at the wrong place.
	clear(p)
	f.read += int64(len(p))
	f.padded += int64(len(p))
	return len(p), nil
}

// Padded is the number of zero bytes delivered because the file shrank.
func (f *File) Padded() int64 { return f.padded }

// Done closes the file and lets the kernel drop it from the page cache. A
// second call does nothing.
func (f *File) Done() error {
	adviseDone(f.f)
	err := f.f.Close()
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
