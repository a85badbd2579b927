package pgdata

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// explainDenied adds to a refused reading whose file it is and what to do; all
// other errors pass. The result is still fs.ErrPermission.
func explainDenied(path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	owner := "unknown owner"
	if info, statErr := os.Lstat(path); statErr == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = fmt.Sprintf("owner %s, mode %04o", userName(st.Uid), info.Mode().Perm())
		}
	}
	return fmt.Errorf("%q cannot be read by user %s (%s): %w; run pgseal as the owner of PGDATA, and give it that file or remove it",
		path, userName(uint32(os.Geteuid())), owner, err)
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "uid " + id
}
