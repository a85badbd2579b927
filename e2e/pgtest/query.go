package pgtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// DSN is a connection string, for libpq and for pgx, to the database postgres through the Unix socket.
func (c *Cluster) DSN() string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres sslmode=disable", c.SocketDir, c.Port)
}

// TCPDSN is DSN through 127.0.0.1.
func (c *Cluster) TCPDSN() string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", c.Port)
}

// Conn opens a session, which closes at the end of the test at the latest.
func (c *Cluster) Conn() *pgx.Conn {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.DSN())
	if err != nil {
		c.t.Fatalf("connect: %v", err)
	}
	c.t.Cleanup(func() { conn.Close(context.Background()) }) // the server may be gone by now
	return conn
}

// SQL runs one or more statements in a session of its own and returns what psql -At would print, without the last
// newline: columns divided by |, a line for each row, and null as nothing. The test fails when a statement does.
func (c *Cluster) SQL(query string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	out, err := c.TrySQL(ctx, query)
	if err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return out
}

// TrySQL is SQL for statements that may fail.
func (c *Cluster) TrySQL(ctx context.Context, query string) (string, error) {
	conn, err := pgx.Connect(ctx, c.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	results, err := conn.PgConn().Exec(ctx, query).ReadAll()
	if err != nil {
		return "", err
	}
	var lines []string
	for _, result := range results {
		for _, row := range result.Rows {
			columns := make([]string, len(row))
			for i, value := range row {
				columns[i] = string(value)
			}
			lines = append(lines, strings.Join(columns, "|"))
		}
	}
	return strings.Join(lines, "\n"), nil
}

// Set changes settings of the running server by postgresql.conf and a reload, and waits until new sessions have them.
// Settings that need a restart are in force after Restart.
func (c *Cluster) Set(settings map[string]string) {
	c.t.Helper()
	before := c.SQL("SELECT pg_conf_load_time()")
	c.appendConfig(settings)
	c.SQL("SELECT pg_reload_conf()")
	c.waitFor("the configuration to be read again", func(ctx context.Context) error {
		now, err := c.TrySQL(ctx, "SELECT pg_conf_load_time()")
		if err == nil && now == before {
			err = fmt.Errorf("still that of %s", now)
		}
		return err
	})
}
