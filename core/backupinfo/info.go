// Package backupinfo reads and writes barman's backup.info.
//
// The syntax and the fields are those of barman 3.4, which every later version
// reads: one "name=value" a line, sorted, None for null, Python literals for
// what has structure. A field that a reader does not know makes barman from
// 3.15 fail for the whole server, so what is pgseal's own stands in comments:
// lines that begin with '#' in column 0, which every barman skips.
package backupinfo

import (
	"errors"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

// ErrFormat: not a backup.info, or a value that one cannot hold.
var ErrFormat = errors.New("backup.info")

// The statuses pgseal writes or meets.
const (
	Started = "STARTED"
	Done    = "DONE"
	Failed  = "FAILED"
)

// Info is one backup.info. Zero values are written as None.
type Info struct {
	Status     string
	Error      string
	BackupName string
	ServerName string // barman-cloud writes the literal "cloud"

	Version     int // server_version_num
	SystemID    string
	Timeline    uint32
	SegmentSize int64
	PGData      string
	ConfigFile  string
	HBAFile     string
	IdentFile   string
	Included    []string
	Tablespaces []Tablespace

	BeginTime, EndTime time.Time
	BeginLSN, EndLSN   layout.LSN
	Label              string // PostgreSQL's backup_label
	Stats              *CopyStats

	Size int64 // as barman writes it, usually 0

	Comments []string // without the leading "# "
	Unknown  []string // names of fields that are none of the above, when read
}

// Tablespace is one tablespace outside PGDATA.
type Tablespace struct {
	Name     string
	OID      uint32
	Location string
}

// CopyStats are the two figures of barman's copy_stats that its show command
// prints.
type CopyStats struct {
	Total   time.Duration // to the millisecond
	Workers int
}

// BeginWAL and EndWAL name segments as barman does: an LSN on a boundary
// belongs to the segment that begins there, even if that one never comes to be.
func (i Info) BeginWAL() string { return i.segment(i.BeginLSN) }
func (i Info) EndWAL() string   { return i.segment(i.EndLSN) }

func (i Info) segment(lsn layout.LSN) string {
	if lsn == 0 || !layout.SegmentSize(i.SegmentSize) {
		return ""
	}
	return layout.SegmentAt(i.Timeline, lsn, i.SegmentSize).Name(i.SegmentSize)
}
