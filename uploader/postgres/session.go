package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// KeepAliveInterval is the time between two questions to an idle session.
const KeepAliveInterval = 30 * time.Second

// answerTimeout is how long a trivial question may take before the session
// counts as lost, and how long the end of a failed backup is waited for.
const answerTimeout = 2 * time.Minute

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
type Session struct {
	mu      sync.Mutex
	conn    *pgx.Conn
	version int
	pid     uint32
	running *runningBackup
}

// Connect opens the session and sets it up to stay open and idle for as long
// as a backup takes. Errors: ErrPooler, ErrUnsupported.
func Connect(ctx context.Context, o Options) (*Session, error) {
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connection to PostgreSQL: %w", err)
	}
	s := &Session{conn: conn, pid: conn.PgConn().PID()}
	if err := s.setUp(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Session) setUp(ctx context.Context) error {
	if err := s.checkPID(ctx); err != nil {
		return err
	}
	var name string
	err := s.row(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_version')", nil, &s.version, &name)
	if err != nil {
		return fmt.Errorf("version of PostgreSQL: %w", err)
	}
	if s.version < 130000 {
		return fmt.Errorf("%w: this server is PostgreSQL %s; pgseal needs 13 or newer", ErrUnsupported, name)
	}
	for _, set := range s.hygiene() {
		if _, err := s.conn.Exec(ctx, "SET "+set); err != nil {
			return fmt.Errorf("backup session: SET %s: %w", set, err)
		}
	}
	return s.checkPID(ctx)
}

// hygiene: no setting of the role or database may end an idle session that
// holds a backup open, or change how answers are written.
func (s *Session) hygiene() []string {
	settings := []string{"statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0",
		"search_path = pg_catalog", "datestyle = ISO"}
	if s.version >= 140000 {
		// Without the check a backend whose client was killed would go on
		// waiting for a spread checkpoint.
		settings = append(settings, "idle_session_timeout = 0", "client_connection_check_interval = '10s'")
	}
	if s.version >= 170000 {
		settings = append(settings, "transaction_timeout = 0")
	}
	return settings
}

// checkPID compares the pid that the server gave when the session was opened
// with the one that answers now. A pooler invents the first.
func (s *Session) checkPID(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.samePID(ctx)
}

// samePID is checkPID for those who hold mu.
func (s *Session) samePID(ctx context.Context) error {
	var pid uint32
	if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.pg_backend_pid()").Scan(&pid); err != nil {
		return fmt.Errorf("backup session: %w", err)
	}
	if pid != s.pid {
		return fmt.Errorf("%w: backend %d answers for backend %d: this is a connection pooler, which would end the backup at will; connect to PostgreSQL itself", ErrPooler, pid, s.pid)
	}
	return nil
}

// row runs a query of one row while no other query of the session runs.
func (s *Session) row(ctx context.Context, sql string, args []any, dest ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.QueryRow(ctx, sql, args...).Scan(dest...)
}

// Close ends a backup that was started and not stopped, then the connection.
// It works after the context of the backup was cancelled. PostgreSQL ends the
// backup by itself when the session is gone.
func (s *Session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn.IsClosed() {
		return nil
	}
	var err error
	if s.running != nil {
		if _, execErr := s.conn.Exec(ctx, s.stopSQL()); execErr != nil {
			err = fmt.Errorf("end the backup in PostgreSQL: %w", execErr)
		}
		s.running = nil
	}
	return errors.Join(err, s.conn.Close(ctx))
}

// KeepAlive asks the backend for its pid every interval. When the session is
// gone or no longer the same, the context returned is cancelled with a cause
// that is ErrSessionLost. The function returned ends the asking, waits until it
// has ended, and cancels the context.
func (s *Session) KeepAlive(ctx context.Context, interval time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := s.ping(ctx); err != nil {
				cancel(fmt.Errorf("%w, and the backup in PostgreSQL with it: %w", ErrSessionLost, err))
				return
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// ping is not cancelled with ctx: pgx closes a connection whose query is
// cancelled, and the backup should be stopped in order. It asks nothing while
// another query runs, as the start does for the minutes of a spread
// checkpoint: that one learns by itself when the session is gone, and waiting
// for it is no silence of the server's.
func (s *Session) ping(ctx context.Context) error {
	if !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	return s.samePID(ctx)
}
