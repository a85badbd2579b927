package restore

import (
	"archive/tar"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// Limits of what an archive may hold. PostgreSQL's own limit of a path is 1,024 bytes (MAXPGPATH).
const (
	maxName    = 1024
	maxDepth   = 32
	maxEntries = 100_000_000 // of one archive
)

// entry is one member of an archive that is to be unpacked.
type member struct {
	name string // clean and local; "." is the data directory itself
	dir  bool
	mode uint32 // permission bits
}

// skipped files would make the restored server something else than what was asked for: a standby, the owner of links to
// the old tablespaces, or one that is believed to be running.
var skipped = map[string]bool{
	"tablespace_map": true, "recovery.signal": true, "standby.signal": true, "recovery.conf": true, "recovery.done": true,
	"postmaster.pid": true, "postmaster.opts": true,
}

// inspect holds a tar header to what a backup of PostgreSQL can be: regular files and directories below the archive's
// own directory. take is false for what is left out by name, and for what only a stock set may hold: links and pipes,
// which are told of in note and never made. Everything else is ErrRefused.
func inspect(h *tar.Header, base string, stock bool) (m member, take bool, note string, err error) {
	refuse := func(format string, args ...any) (member, bool, string, error) {
		return member{}, false, "", fmt.Errorf("%w: entry %.100q: %s", ErrRefused, h.Name, fmt.Sprintf(format, args...))
	}
	name := path.Clean(h.Name)
	switch {
	case h.Name == "" || len(h.Name) > maxName || strings.ContainsRune(h.Name, 0):
		return refuse("no name that a file can have")
	case path.IsAbs(h.Name) || !filepath.IsLocal(name):
		return refuse("it leads out of the directory")
	case strings.Count(name, "/") > maxDepth:
		return refuse("more than %d directories deep", maxDepth)
	case name == ours || strings.HasPrefix(name, ours+"/") || name == controlHeld:
		return refuse("this name is pgseal's own")
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return refuse("a sparse file, whose size says nothing")
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return member{name, true, uint32(h.Mode & 0o777)}, true, "", nil
	case tar.TypeReg:
		if name == "." || strings.HasSuffix(h.Name, "/") {
			return refuse("a file in the place of a directory")
		}
		if base == layout.Data && skipped[name] {
			return member{}, false, "", nil
		}
		return member{name, false, uint32(h.Mode & 0o777)}, true, "", nil
	case tar.TypeSymlink, tar.TypeLink:
		if base == layout.Data && h.Typeflag == tar.TypeSymlink && path.Dir(name) == "pg_tblspc" {
			return member{}, false, "", nil // where a tablespace was; it is made anew
		}
		if stock {
			return member{}, false, fmt.Sprintf("%q is a link to %q, and was not made: make it by hand, or put the file there", name, h.Linkname), nil
		}
		return refuse("a link")
	case tar.TypeFifo:
		if stock {
			return member{}, false, fmt.Sprintf("%q is a pipe, and was not made", name), nil
		}
	}
	return refuse("its type is %q, and a backup holds files and directories", h.Typeflag)
}

// waits tells which files of PGDATA wait until everything else is there: those at its top, of which a later archive may
// hold the true one, and pg_control.
func waits(name string) bool { return !strings.Contains(name, "/") || name == pgdata.ControlName }
