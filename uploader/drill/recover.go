package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// askAgain is the time between two questions whether the server is up. Recovery may take hours, and says itself when it
// fails: there is no limit.
const askAgain = 100 * time.Millisecond

// recover starts the server and waits until recovery is over.
func (h *held) recover(ctx context.Context) (string, error) {
	if err := h.configure(); err != nil {
		return "", err
	}
	var err error
	if h.server, err = h.startServer(); err != nil {
		return "", err
	}
	for {
		conn, err := h.connect(ctx, "template1")
		switch {
		case err == nil:
			return h.look(ctx, conn)
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case errors.Is(err, ErrConnect): // it was not even tried
			return "", err
		case h.server.gone():
			return "", &failure{fmt.Sprintf("PostgreSQL ended (%v) instead of recovering: %s", h.server.err, h.server.last())}
		}
		var said *pgconn.PgError
		switch errors.As(err, &said); {
		case said == nil, said.Code == "57P03": // nobody listens, or "the database system is starting up"
		case said.Code == "28000": // "role ... does not exist"
			return "", fmt.Errorf("%w as %q: %s; --user names the superuser", ErrConnect, h.User, said.Message)
		default:
			return "", &failure{fmt.Sprintf("PostgreSQL recovered, and refuses a connection: %s (%s)", said.Message, said.Code)}
		}
		select {
		case <-ctx.Done():
		case <-h.server.ended:
		case <-time.After(askAgain):
		}
	}
}

// look asks the server what it is and how far it came.
func (h *held) look(ctx context.Context, conn *pgx.Conn) (string, error) {
	defer conn.Close(context.WithoutCancel(ctx))
	var recovering, super bool
	var timeline string
	err := conn.QueryRow(ctx, "SELECT current_setting('server_version'), pg_is_in_recovery(), rolsuper, (SELECT count(*) FROM pg_database WHERE datallowconn), "+
		"CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END FROM pg_roles WHERE rolname = current_user").
		Scan(&h.proof.PostgreSQL, &recovering, &super, &h.proof.Databases, &timeline)
	switch {
	case err != nil:
		return "", h.failed("PostgreSQL recovered, and does not answer", err)
	case recovering:
		return "", &failure{"PostgreSQL takes connections, and has not ended recovery"}
	case !super:
		return "", fmt.Errorf("%w as %q: it is no superuser; --user names one", ErrConnect, h.User)
	}
	h.proof.RecoveredTo, err = h.recoveredTo(timeline)
	return "", err
}

// recoveredTo is where the new timeline begins, as its history file says: where recovery has ended.
func (h *held) recoveredTo(timeline string) (layout.LSN, error) {
	var tli uint32
	if _, err := fmt.Sscanf(timeline, "%08X", &tli); err != nil {
		return 0, fmt.Errorf("the timeline %.20q: %w", timeline, err)
	}
	text, err := os.ReadFile(filepath.Join(h.scratch.data(), "pg_wal", layout.History(tli)))
	if err != nil {
		return 0, err
	}
	history, err := walfile.ParseHistory(tli, text)
	if err != nil {
		return 0, err
	}
	return history.Begin(), nil
}

// connect opens a connection, whatever PG* variables say.
func (h *held) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	var b strings.Builder
	for _, kv := range [][2]string{
		{"host", h.scratch.dir}, {"port", fmt.Sprint(port)}, {"user", h.User}, {"dbname", database}, {"sslmode", "disable"}, {"connect_timeout", "30"},
		{"target_session_attrs", "any"}, {"application_name", "pgseal drill"}, {"options", h.session()}, {"client_encoding", "UTF8"},
	} {
		fmt.Fprintf(&b, "%s='%s' ", kv[0], strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(kv[1]))
	}
	config, err := pgx.ParseConfig(b.String())
	if err != nil {
		return nil, fmt.Errorf("%w: look at PGSERVICE and the other PG* variables: %w", ErrConnect, err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return pgx.ConnectConfig(ctx, config)
}

// failed makes a failure of what a query ended in: the server's words, and if it died those of its log.
func (h *held) failed(what string, err error) error {
	text := what + ": " + err.Error()
	select {
	case <-h.server.ended:
		text += "; PostgreSQL ended: " + h.server.last()
	case <-time.After(goneWithin):
	}
	return &failure{text}
}

// goneWithin is how long a server that crashes may take to end after the connection did.
const goneWithin = time.Second
