package pgdata

import (
	"os"

	"golang.org/x/sys/unix"
)

const noAtime = unix.O_NOATIME

// Advice may be refused (a file system without a page cache); nothing depends
// on it.

func adviseSequential(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
}

func adviseDone(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// mayRead asks the kernel without opening; the effective user counts.
func mayRead(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return &os.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}
