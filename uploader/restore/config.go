package restore

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Config says what to restore, and where to.
type Config struct {
	Vault  bucket.Bucket
	Server string // as layout.CheckServer accepts it
	// Backup is an id, a name, or one of barman's words: latest, last, auto, oldest, first.
	Backup string
	Target Target

	// Dir is the new data directory, absolute: absent, empty, or an unfinished restore of the same backup.
	Dir string
	// Tablespaces are new locations by the tablespaces' names; others go to where they were.
	Tablespaces map[string]string
	// VerifyOnly reads and checks everything, and writes nothing; Dir is "".
	VerifyOnly bool
	// NoSync leaves it to the system when what was written is on disk.
	NoSync bool
	// Recovery is nil for the files alone, as barman-cloud-restore leaves them.
	Recovery *Recovery

	Jobs     int // archives that are unpacked at the same time
	Progress *Progress
	Now      func() time.Time
	Log      *slog.Logger
}

// Target is where recovery is to end; the zero value is the end of the WAL. At most one of the first five is set.
type Target struct {
	Time      time.Time
	LSN       layout.LSN
	XID, Name string
	Immediate bool // as soon as the backup is consistent

	Exclusive bool   // just before the target instead of just after it
	Action    string // pause (PostgreSQL's default, also for ""), promote or shutdown
	Timeline  string // latest (PostgreSQL's default, also for ""), current, or a number
}

func (t Target) set() bool {
	return !t.Time.IsZero() || t.LSN != 0 || t.XID != "" || t.Name != "" || t.Immediate
}

// Recovery is what is written for PostgreSQL besides the files of the backup.
type Recovery struct {
	Command         string // restore_command
	Standby         bool   // standby.signal instead of recovery.signal
	ResumeArchiving bool   // leave archive_mode as it was
}

// Progress counts what a running restore has done. All fields may be read at any time.
type Progress struct {
	Read, Total atomic.Int64 // stored bytes of the archives
	Files       atomic.Int64
	Copying     atomic.Bool
}

// Result is what was restored.
type Result struct {
	ID       string
	Info     backupinfo.Info
	Sealed   bool   // by pgseal, and so verified byte for byte
	Manifest string // the digest of the sealed manifest; "" without one
	Archives int
	Bytes    int64 // of the archives, as stored
	Room     int64 // what the files will take on disk, estimated
	Resumed  int   // archives that an earlier call had unpacked
	// Notes are what somebody should look at: objects that were not read, and gaps in the WAL.
	Notes []string
	// External are settings that a start must name, as the configuration was outside of the data directory.
	External map[string]string
}

// Errors with a kind of their own.
var (
	// ErrNoBackup: there is no backup that is complete and fits.
	ErrNoBackup = errors.New("no such backup")
	// ErrDamaged: an archive is not what was sealed, or cannot be unpacked.
	ErrDamaged = errors.New("damaged")
	// ErrRefused: an archive holds what no PostgreSQL backup does.
	ErrRefused = errors.New("refused")
	// ErrDirectory: the directory is not one to restore into.
	ErrDirectory = errors.New("cannot restore into this directory")
	// ErrTarget: recovery could not reach the target.
	ErrTarget = errors.New("the target cannot be reached")
)
