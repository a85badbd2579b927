package drill

import (
	"errors"
	"log/slog"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/restore"
)

// Config says what to drill, and where.
type Config struct {
	Vault   bucket.Bucket
	Staging bucket.Bucket // nil: no proof is kept
	Server  string        // as layout.CheckServer accepts it
	Backup  string        // an id, a name, or a word, as restore.Config has it
	Command string        // restore_command

	Scratch string // an absolute path: the directory in which the scratch directory is made
	Keep    bool   // leave the scratch directory there
	BinDir  string // of PostgreSQL's programs; "" looks for them

	EndOfWAL bool // recover as far as the archived WAL leads, not only to the end of the backup
	Amcheck  Want
	Query    string // "": none
	Database string // of the query
	User     string // a superuser

	Jobs     int
	Host     string // this machine's name
	Build    string // pgseal's version
	Progress *restore.Progress
	Now      func() time.Time
	Log      *slog.Logger
}

// Want is whether to do what may not be possible.
type Want int

// What is wanted.
const (
	IfThere Want = iota
	Yes
	No
)

// Errors with a kind of their own.
var (
	// ErrPrograms: PostgreSQL's programs of this major version are not here.
	ErrPrograms = errors.New("PostgreSQL's programs")
	// ErrRoom: the scratch directory has no room for the files.
	ErrRoom = errors.New("not enough room")
	// ErrScratch: the scratch directory cannot be one.
	ErrScratch = errors.New("scratch directory")
	// ErrConnect: the server came up, and lets nobody in as the superuser that was named.
	ErrConnect = errors.New("connection to the drill's server")
)

// failure is what a drill finds wrong with the backup.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }
