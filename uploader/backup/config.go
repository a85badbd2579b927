package backup

import (
	"log/slog"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/postgres"
)

// Config is one run. Vault, Staging, Server, Jobs, ArchiveSize, Uploader, Host,
// PID, Now, Nonce and Log are required.
type Config struct {
	Vault, Staging bucket.Bucket
	Server         string
	Name           string // a name for people, "" for none

	Postgres postgres.Options
	Fast     bool // a fast checkpoint at the start
	// Primary is a connection string to the primary of the standby that is backed
	// up; "" for none. Backups of a primary ignore it.
	Primary string

	Jobs        int
	Codec       codec.Codec
	Level       codec.Level
	ArchiveSize int64 // stored bytes after which another archive begins
	MinPart     int64 // least bytes of one request of an upload; 0 for pgseal's own choice
	Bandwidth   int64 // stored bytes per second; 0 for no limit
	Tags        map[string]string

	// NoBackupManifest leaves out PostgreSQL's backup_manifest, and the memory for
	// it, some 150 bytes a file.
	NoBackupManifest bool

	// RetainUntil locks every object of the backup until then; zero leaves it to
	// the vault.
	RetainUntil time.Time
	RequireLock bool // refuse a vault that does not lock what it is given
	CheckWAL    bool // refuse a server whose WAL is not archived

	Uploader string // name and version, for the manifest
	Host     string
	PID      int
	Now      func() time.Time // in the local zone, which backup ids are in
	Nonce    func() string    // random: no two claims of an id are the same bytes
	Log      *slog.Logger
	// Progress is kept up to date while the backup runs; nil for nobody to see.
	Progress *Progress
}

// Result is a backup whose set is complete in the vault and waits for its seal.
type Result struct {
	ID      string
	Objects int   // archives, the manifest not counted
	Stored  int64 // bytes of them
	Read    int64 // bytes of the files
	Files   int64
	Took    time.Duration
	// Digest is the manifest's, which the seal will name.
	Digest string
}
