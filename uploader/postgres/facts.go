package postgres

import (
	"context"
	"time"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// Facts are what the server says of itself before the backup.
type Facts struct {
	// Version is server_version_num: 150018.
	Version    int
	SystemID   uint64
	Timeline   uint32
	InRecovery bool

	DataDirectory, ConfigFile, HBAFile, IdentFile string
	// IncludedFiles are the files other than ConfigFile that settings come
	// from, postgresql.auto.conf too, sorted (barman's included_files).
	IncludedFiles                    []string
	LogDirectory, StatsTempDirectory string
	Tablespaces                      []pgdata.Tablespace

	// WALSegmentSize in bytes.
	WALSegmentSize int64
	DataChecksums  bool

	// ArchiveMode is off, on or always.
	ArchiveMode string
	// ArchiveTarget tells whether archive_command or archive_library is set.
	ArchiveTarget bool
	Archiver      Archiver

	PostmasterStart time.Time
	Port            int
	// ClusterSize is the size of all tablespaces in bytes, 0 when this user
	// may not ask.
	ClusterSize int64
	// Now is the server's clock in the session's time zone.
	Now time.Time
}

// Archiver is pg_stat_archiver. The times are zero where the server has none.
type Archiver struct {
	LastArchivedWAL  string
	LastArchivedTime time.Time
	LastFailedWAL    string
	LastFailedTime   time.Time
	FailedCount      int64
}

// Facts asks for everything a backup needs to know. Missing privileges are one
// error with all the GRANT lines: ErrPrivilege.
func (s *Session) Facts(ctx context.Context) (Facts, error) { return Facts{}, nil }

// Tablespaces lists the tablespaces other than pg_default and pg_global.
func (s *Session) Tablespaces(ctx context.Context) ([]pgdata.Tablespace, error) { return nil, nil }

// CheckArchiving refuses a backup whose WAL would never arrive: ErrArchiving.
// A standby with archive_mode on or off archives nothing itself and passes. Do
// not call it where the WAL goes elsewhere (pg_receivewal, another tool).
func (f Facts) CheckArchiving() error { return nil }

// PlanOptions are the options of pgdata.NewPlan for this server. Set
// Tablespaces anew after Start.
func (f Facts) PlanOptions() pgdata.Options { return pgdata.Options{} }
