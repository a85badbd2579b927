package pgdata

import (
	"io/fs"
	"time"
)

// Kind says what an Entry becomes in the archive. There are no other kinds: a
// link to a file is stored as that file, and everything else is refused.
type Kind int

const (
	// Dir is a directory: one tar header, no content.
	Dir Kind = iota
	// Regular is a regular file, to be read with Open.
	Regular
)

// Entry is one member of an archive.
type Entry struct {
	// Name is the tar name: relative, separated by slashes, without "..",
	// without a leading "./" or a trailing slash; "." is PGDATA itself. It may
	// hold any byte that a file name may hold, a newline and invalid UTF-8
	// included: a tar needs pax records for those, and a log needs quoting.
	Name string
	// Path is where the file is read. Empty for a directory that the archive
	// must have though it is not there on disk.
	Path string
	Kind Kind
	// Mode holds the permission bits and setuid, setgid, sticky.
	Mode    fs.FileMode
	UID     int
	GID     int
	ModTime time.Time
	// Size in bytes when the directory was read. The header takes the size
	// that Open reports, not this one.
	Size int64
}

// Archive is one series of tar files: PGDATA, or one tablespace.
type Archive struct {
	// Base is the first part of the archive's key: "data", or the
	// tablespace's OID in decimal (barman 3.17).
	Base string
	// OID of the tablespace, 0 for PGDATA.
	OID uint32
	// Location is the directory the names are relative to.
	Location string
}

// Tablespace as the server names it, to be read after pg_backup_start: one
// that is created later comes back by WAL replay, one created between the
// reading and the start would be lost.
type Tablespace struct {
	OID      uint32
	Name     string
	Location string
	// InPlace means a directory in pg_tblspc (allow_in_place_tablespaces): it
	// is a part of PGDATA, gets no archive, and has no place in barman's list
	// of tablespaces.
	InPlace bool
}

// Totals is what a Survey counted.
type Totals struct {
	Files int64
	Dirs  int64
	Bytes int64
}
