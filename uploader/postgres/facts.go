package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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
	IncludedFiles []string
	// LogDirectory and StatsTempDirectory are the settings; the second is
	// empty from PostgreSQL 15 on.
	LogDirectory, StatsTempDirectory string
	Tablespaces                      []pgdata.Tablespace

	// WALSegmentSize in bytes.
	WALSegmentSize int64
	DataChecksums  bool
	// PageSize in bytes, and how many pages a segment of a relation has.
	PageSize        int
	PagesPerSegment uint32

	// ArchiveMode is off, on or always.
	ArchiveMode string
	// ArchiveTarget tells whether archive_command or archive_library is set.
	ArchiveTarget bool
	Archiver      Archiver

	PostmasterStart time.Time
	Port            int
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
func (s *Session) Facts(ctx context.Context) (Facts, error) {
	if err := s.CheckPrivileges(ctx); err != nil {
		return Facts{}, err
	}
	f := Facts{Version: s.version}
	for _, step := range []struct {
		what string
		ask  func(context.Context, *Facts) error
	}{
		{"the cluster", s.askCluster},
		{"its settings", s.askSettings},
		{"its archiver", s.askArchiver},
	} {
		if err := step.ask(ctx, &f); err != nil {
			return Facts{}, fmt.Errorf("ask PostgreSQL about %s: %w", step.what, err)
		}
	}
	var err error
	if f.IncludedFiles, err = s.includedFiles(ctx); err != nil {
		return Facts{}, err
	}
	if f.Tablespaces, err = s.Tablespaces(ctx); err != nil {
		return Facts{}, err
	}
	return f, nil
}

func (s *Session) askCluster(ctx context.Context, f *Facts) error {
	var systemID int64 // an unsigned number, which SQL does not have
	var offset int
	err := s.row(ctx, `SELECT (SELECT system_identifier FROM pg_control_system()),
		(SELECT timeline_id FROM pg_control_checkpoint()),
		pg_is_in_recovery(), pg_postmaster_start_time(), now(), extract(timezone from now())::int`, nil,
		&systemID, &f.Timeline, &f.InRecovery, &f.PostmasterStart, &f.Now, &offset)
	f.SystemID = uint64(systemID)
	f.Now = f.Now.In(time.FixedZone("", offset))
	return err
}

func (s *Session) askSettings(ctx context.Context, f *Facts) error {
	err := s.row(ctx, `SELECT current_setting('data_directory'), current_setting('config_file'),
		coalesce(current_setting('hba_file'), ''), coalesce(current_setting('ident_file'), ''),
		current_setting('log_directory'), coalesce(current_setting('stats_temp_directory', true), ''),
		(SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),
		current_setting('data_checksums')::bool, current_setting('port')::int, current_setting('block_size')::int,
		(SELECT setting::bigint FROM pg_settings WHERE name = 'segment_size')`, nil,
		&f.DataDirectory, &f.ConfigFile, &f.HBAFile, &f.IdentFile, &f.LogDirectory, &f.StatsTempDirectory,
		&f.WALSegmentSize, &f.DataChecksums, &f.Port, &f.PageSize, &f.PagesPerSegment)
	if err != nil {
		return err
	}
	return s.askArchiving(ctx, f)
}

func (s *Session) askArchiving(ctx context.Context, f *Facts) error {
	var command, library string
	err := s.row(ctx, `SELECT current_setting('archive_mode'), current_setting('archive_command'), coalesce(current_setting('archive_library', true), '')`, nil,
		&f.ArchiveMode, &command, &library)
	// With archive_mode off the server shows "(disabled)" whatever is set.
	f.ArchiveTarget = (strings.TrimSpace(command) != "" && command != "(disabled)") || library != ""
	return err
}

func (s *Session) askArchiver(ctx context.Context, f *Facts) error {
	var archived, failed *time.Time
	err := s.row(ctx, `SELECT coalesce(last_archived_wal, ''), last_archived_time, coalesce(last_failed_wal, ''), last_failed_time, failed_count
		FROM pg_stat_archiver`, nil,
		&f.Archiver.LastArchivedWAL, &archived, &f.Archiver.LastFailedWAL, &failed, &f.Archiver.FailedCount)
	if archived != nil {
		f.Archiver.LastArchivedTime = *archived
	}
	if failed != nil {
		f.Archiver.LastFailedTime = *failed
	}
	return err
}

func (s *Session) includedFiles(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.Query(ctx, `SELECT DISTINCT sourcefile COLLATE "C" FROM pg_settings
		WHERE sourcefile IS NOT NULL AND sourcefile <> current_setting('config_file') ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL about its configuration files: %w", err)
	}
	files, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL about its configuration files: %w", err)
	}
	return files, nil
}

// Tablespaces lists the tablespaces other than pg_default and pg_global, in the
// order of their OIDs.
func (s *Session) Tablespaces(ctx context.Context) ([]pgdata.Tablespace, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.Query(ctx, "SELECT oid, spcname::text, pg_tablespace_location(oid) FROM pg_tablespace WHERE oid NOT IN (1663, 1664) ORDER BY oid")
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL about its tablespaces: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pgdata.Tablespace, error) {
		var ts pgdata.Tablespace
		err := row.Scan(&ts.OID, &ts.Name, &ts.Location)
		ts.InPlace = strings.HasPrefix(ts.Location, "pg_tblspc/")
		return ts, err
	})
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL about its tablespaces: %w", err)
	}
	return list, nil
}

// PlanOptions are the options of pgdata.NewPlan for this server. Set
// Tablespaces anew after Start.
func (f Facts) PlanOptions() pgdata.Options {
	return pgdata.Options{
		Root:               f.DataDirectory,
		Tablespaces:        f.Tablespaces,
		ConfigFile:         f.ConfigFile,
		HBAFile:            f.HBAFile,
		IdentFile:          f.IdentFile,
		IncludedFiles:      f.IncludedFiles,
		LogDirectory:       f.LogDirectory,
		StatsTempDirectory: f.StatsTempDirectory,
	}
}
