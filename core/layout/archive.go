package layout

import (
	"fmt"
	"strconv"
	"strings"
)

// Data is the base name of the archives that hold PGDATA; a tablespace's are
// named by its oid.
const Data = "data"

// MaxArchives is the most archives one base name can have: numbers have four
// digits, and with five the order of the keys would no longer be the order of
// the numbers.
const MaxArchives = 10000

// archiveSuffixes are the compressions of a tar that a reader knows: barman
// 3.4 all but the last two; .lz4 since barman 3.18; .zst pgseal alone.
var archiveSuffixes = []string{"", ".gz", ".bz2", ".snappy", ".lz4", ".zst"}

// Archive is the name of one tar of a backup: "data.tar", "data_0001.tar.gz",
// "16385.tar.lz4".
type Archive struct {
	Base   string // "data" or a tablespace's oid
	Number int    // 0 is the main archive, without a number in its name
	Suffix string // of the compression: "", ".gz", ...
}

func (a Archive) String() string {
	if a.Number == 0 {
		return a.Base + ".tar" + a.Suffix
	}
	return fmt.Sprintf("%s_%04d.tar%s", a.Base, a.Number, a.Suffix)
}

// ParseArchive reads the name of an archive, strictly: what it accepts prints
// back the same. ErrName otherwise.
func ParseArchive(name string) (Archive, error) {
	stem, suffix, ok := strings.Cut(name, ".tar")
	base, number, numbered := strings.Cut(stem, "_")
	a := Archive{Base: base, Suffix: suffix}
	if numbered {
		a.Number, _ = strconv.Atoi(number)
	}
	if _, err := ParseOID(base); base != Data && err != nil || !ok || numbered != (a.Number > 0) || a.Number >= MaxArchives || a.String() != name {
		return Archive{}, fmt.Errorf("archive %.80q: %w: it looks like data.tar.gz, data_0001.tar or 16385.tar", name, ErrName)
	}
	for _, known := range archiveSuffixes {
		if suffix == known {
			return a, nil
		}
	}
	return Archive{}, fmt.Errorf("archive %.80q: %w: no reader knows this compression", name, ErrName)
}

// ParseOID reads a PostgreSQL oid in its one decimal form. ErrName otherwise.
func ParseOID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("oid %.20q: %w", s, ErrName)
	}
	return uint32(n), nil
}

// ReadByRestore tells whether a stock restore would take the object of this
// name, below the backup's directory, for an archive of base: it goes by
// listing, and takes whatever begins with the base name and '.' or '_'
// (barman 3.4 to 3.17).
func ReadByRestore(name, base string) bool {
	rest, ok := strings.CutPrefix(name, base)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '_')
}
