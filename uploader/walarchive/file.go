package walarchive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// ErrContent: the file is not what its name says, and is not archived. Under retention it could never be put right.
var ErrContent = errors.New("refused, as its content is not what its name says")

const (
	// inMemory is the largest file that is read into memory; a segment beyond it is read twice, for its digest and
	// for sending.
	inMemory = 64 << 20
	// maxSmall bounds .history and .backup files; real ones have a few hundred bytes.
	maxSmall = walfile.MaxHistory
	// readSize is read at once, and hashed while the next is read.
	readSize = 1 << 20
)

// CheckName tells whether the last element of path names a file that PostgreSQL archives: a segment, a .partial, a
// .history or a .backup file. layout.ErrName otherwise.
func CheckName(path string) error {
	if layout.KindOfWAL(filepath.Base(path)) == layout.NotWAL {
		return fmt.Errorf("%q: %w for a WAL file: it looks like 00000001000000A900000065, with .partial or .00000028.backup, or like 00000002.history", filepath.Base(path), layout.ErrName)
	}
	return nil
}

// file is a WAL file that was read and found to be what its name says.
type file struct {
	path, name string
	size       int64
	systemID   string // in decimal; "" for files that do not say
	data       []byte // nil for a file beyond inMemory

	hashed chan struct{} // closed when sum is known
	sum    string
}

// digest is the SHA-256 in hex.
func (f *file) digest() string {
	<-f.hashed
	return f.sum
}

// readFile reads the file once, checks it, and leaves its content in memory if it is not too long for that.
func readFile(path string) (*file, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	f := &file{path: path, name: filepath.Base(path), size: info.Size(), hashed: make(chan struct{})}
	kind := layout.KindOfWAL(f.name)
	small := kind == layout.WALHistory || kind == layout.WALBackupEnd
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: it is no regular file", path, ErrContent)
	case small && (f.size == 0 || f.size > maxSmall):
		return nil, fmt.Errorf("%s: %w: it has %d bytes, and PostgreSQL writes 1 to %d there", path, ErrContent, f.size, maxSmall)
	case !small:
		if err := f.checkSegment(in); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", path, ErrContent, err)
		}
	}
	if err := f.readContent(in); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if kind == layout.WALHistory {
		timeline, err := strconv.ParseUint(f.name[:8], 16, 32)
		if err == nil {
			_, err = walfile.ParseHistory(uint32(timeline), f.data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", path, ErrContent, err)
		}
	}
	return f, nil
}

// checkSegment holds the size and the name against the header of the first page.
func (f *file) checkSegment(in io.ReaderAt) error {
	var first [walfile.HeaderSize]byte
	if n, err := in.ReadAt(first[:], 0); err != nil && err != io.EOF {
		return err
	} else if n < len(first) {
		return fmt.Errorf("%d bytes cannot be a segment", f.size)
	}
	h, err := walfile.CheckFile(f.name[:24], f.size, first[:])
	if err != nil {
		return err
	}
	f.systemID = strconv.FormatUint(h.SystemID, 10)
	return nil
}

// readContent returns when all is read; the digest may take a little longer.
func (f *file) readContent(in io.Reader) error {
	if f.size > inMemory {
		sum := sha256.New()
		n, err := io.Copy(sum, in)
		if err == nil && n != f.size {
			err = fmt.Errorf("%d bytes instead of %d: it is being changed", n, f.size)
		}
		f.sum = hex.EncodeToString(sum.Sum(nil))
		close(f.hashed)
		return err
	}
	f.data = make([]byte, f.size)
	read := make(chan []byte, f.size/readSize+1)
	defer close(read)
	go func() {
		sum := sha256.New()
		for p := range read {
			sum.Write(p)
		}
		f.sum = hex.EncodeToString(sum.Sum(nil))
		close(f.hashed)
	}()
	for p := range slices.Chunk(f.data, readSize) {
		if _, err := io.ReadFull(in, p); err != nil {
			return err
		}
		read <- p
	}
	return nil
}
