package drill

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeIn is how many bytes this user may still write to the file system of dir.
func freeIn(dir string) (free int64, known bool, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false, fmt.Errorf("%w: %s: %w", ErrScratch, dir, err)
	}
	return int64(s.Bavail) * s.Bsize, true, nil
}
