package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgseal/pgseal/core/layout"
)

// Primary is where a standby's WAL is written and archived.
type Primary struct {
	session *Session
}

// switching are the functions that end a segment on a server without traffic: a
// switch alone does nothing when the segment is empty so far, and a restore point
// needs no table to be written.
var switching = []string{"pg_switch_wal()", "pg_create_restore_point(text)", "pg_current_wal_lsn()", "pg_control_system()"}

// ConnectPrimary opens a session on the primary of the standby that f describes.
// Errors: ErrOtherServer when it is no primary, or of another cluster;
// ErrPrivilege.
func ConnectPrimary(ctx context.Context, conninfo string, f Facts) (*Primary, error) {
	s, err := Connect(ctx, Options{DBName: conninfo})
	if err != nil {
		return nil, fmt.Errorf("the primary: %w", err)
	}
	p := &Primary{s}
	if err := p.check(ctx, f); err != nil {
		p.Close()
		return nil, fmt.Errorf("the primary: %w", err)
	}
	return p, nil
}

func (p *Primary) check(ctx context.Context, f Facts) error {
	missing, err := p.session.missing(ctx, switching)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: as a superuser run there: GRANT EXECUTE ON FUNCTION %s TO the user that connects", ErrPrivilege, strings.Join(missing, ", "))
	}
	var systemID int64
	var recovery bool
	if err := p.session.row(ctx, "SELECT (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery()", nil, &systemID, &recovery); err != nil {
		return err
	}
	switch {
	case uint64(systemID) != f.SystemID:
		return fmt.Errorf("%w: it has system identifier %d, and the standby %d", ErrOtherServer, uint64(systemID), f.SystemID)
	case recovery:
		return fmt.Errorf("%w: it is a standby itself", ErrOtherServer)
	}
	return nil
}

// Switch has the primary end the segment with the last byte before end, if it
// still writes into it, so that archiving takes it now and not with the next
// 16 MB of traffic.
func (p *Primary) Switch(ctx context.Context, end layout.LSN, segmentSize int64, label string) (switched bool, err error) {
	var at string
	if err := p.session.row(ctx, "SELECT pg_current_wal_lsn()::text", nil, &at); err != nil {
		return false, fmt.Errorf("the primary: %w", err)
	}
	now, err := layout.ParseLSN(at)
	if err != nil {
		return false, fmt.Errorf("the primary: %w", err)
	}
	if int64(now)/segmentSize > int64(end-1)/segmentSize {
		return false, nil
	}
	var point, last string
	if err := p.session.row(ctx, "SELECT pg_create_restore_point($1)::text, pg_switch_wal()::text", []any{label}, &point, &last); err != nil {
		return false, fmt.Errorf("the primary: %w", err)
	}
	return true, nil
}

// Close ends the session. Nothing depends on how.
func (p *Primary) Close() { _ = p.session.Close() }
