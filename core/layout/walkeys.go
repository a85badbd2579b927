package layout

import (
	"fmt"
	"strings"
)

// WALSuffixes are the compressions that readers of a WAL archive know by their
// suffix (barman 3.17; 3.4 knows the first three).
var WALSuffixes = []string{"", ".gz", ".bz2", ".snappy", ".xz", ".zst", ".lz4"}

// WALDir is the prefix of a server's WAL archive.
func WALDir(server string) string { return server + "/wals/" }

// SegmentDir is the prefix under which the segments of the same timeline and
// log stand; name is the name of any of them.
func SegmentDir(server, name string) string { return WALDir(server) + name[:16] + "/" }

// WAL is the key of a file of the WAL archive, name without and suffix with the
// compression. name must be of a kind that KindOfWAL knows.
func WAL(server, name, suffix string) string {
	if KindOfWAL(name) == WALHistory {
		return WALDir(server) + name + suffix
	}
	return SegmentDir(server, name) + name + suffix
}

// History is the name of a timeline's history file.
func History(timeline uint32) string { return fmt.Sprintf("%08X.history", timeline) }

// SplitWAL takes the last element of a key of the WAL archive apart into the
// file's own name and the suffix of its compression.
func SplitWAL(element string) (name, suffix string) {
	for _, s := range WALSuffixes[1:] {
		if n, ok := strings.CutSuffix(element, s); ok {
			return n, s
		}
	}
	return element, ""
}
