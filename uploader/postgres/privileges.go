package postgres

import (
	"context"
	"fmt"
	"strings"
)

// requiredFunctions are all functions with side effects or secrets that a
// backup calls. PostgreSQL grants some of them to everybody, but an
// administrator may have revoked that.
func (s *Session) requiredFunctions() []string {
	functions := []string{"pg_control_system()", "pg_control_checkpoint()", "pg_control_recovery()",
		"pg_tablespace_location(oid)", "pg_current_wal_lsn()", "pg_walfile_name(pg_lsn)"}
	if s.version < 150000 {
		return append(functions, "pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)")
	}
	return append(functions, "pg_backup_start(text, boolean)", "pg_backup_stop(boolean)")
}

// CheckPrivileges names everything that a backup lacks at once, as the statements
// that help: ErrPrivilege. Privileges on functions hold in one database only.
func (s *Session) CheckPrivileges(ctx context.Context) error {
	var user, database string
	var settings bool
	err := s.row(ctx, "SELECT current_user::text, current_database()::text, pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')", nil,
		&user, &database, &settings)
	if err != nil {
		return fmt.Errorf("privileges: %w", err)
	}
	var grants []string
	if !settings {
		grants = append(grants, "GRANT pg_read_all_settings TO "+quoteIdentifier(user))
	}
	functions, err := s.missing(ctx, s.requiredFunctions())
	if err != nil {
		return err
	}
	for _, function := range functions {
		grants = append(grants, "GRANT EXECUTE ON FUNCTION "+function+" TO "+quoteIdentifier(user))
	}
	if len(grants) == 0 {
		return nil
	}
	return fmt.Errorf("%w: user %s cannot take a backup; as a superuser run in database %s: %s;",
		ErrPrivilege, quoteIdentifier(user), quoteIdentifier(database), strings.Join(grants, "; "))
}

// missing are those functions that the user may not call.
func (s *Session) missing(ctx context.Context, functions []string) (missing []string, err error) {
	for _, function := range functions {
		var may bool
		if err := s.row(ctx, "SELECT has_function_privilege($1, 'EXECUTE')", []any{function}, &may); err != nil {
			return nil, fmt.Errorf("privileges on %s: %w", function, err)
		}
		if !may {
			missing = append(missing, function)
		}
	}
	return missing, nil
}

func quoteIdentifier(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
