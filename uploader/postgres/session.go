package postgres

import (
	"context"
	"time"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// LSN is a position in the WAL, in text "0/2000028".
type LSN = pgdata.LSN

// KeepAliveInterval is the time between two questions to an idle session.
const KeepAliveInterval = 30 * time.Second

// Options say how to connect. What is empty comes from the PG* environment,
// the service and password files, and libpq's defaults.
type Options struct {
	Host, Port, User string
	// DBName with a "=" in it, or a postgresql:// URL, is a whole conninfo;
	// the other fields are then ignored (barman 3.17).
	DBName string
}

// Session is one connection to one backend. Its methods may be called from
// several goroutines; they run one after the other.
type Session struct{}

// Connect opens the session and sets it up to stay open and idle for as long
// as a backup takes. Errors: ErrPooler, ErrUnsupported.
func Connect(ctx context.Context, o Options) (*Session, error) { return nil, nil }

// Close ends a backup that was started and not stopped, then the connection.
// It works after the context of the backup was cancelled. PostgreSQL ends the
// backup by itself when the session is gone.
func (s *Session) Close() error { return nil }

// KeepAlive asks the backend for its pid every interval. When the session is
// gone or no longer the same, the context returned is cancelled with a cause
// that is ErrSessionLost. The function returned ends the asking.
func (s *Session) KeepAlive(ctx context.Context, interval time.Duration) (context.Context, func()) {
	return ctx, func() {}
}
