package postgres

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ignoredKeywords are libpq's parameters that pgx would send to the server,
// which would refuse the connection. pgseal sets its own keepalives; the others
// only choose between ways that lead to the same server.
var ignoredKeywords = []string{"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"tcp_user_timeout", "gssencmode", "gsslib", "gssdelegation", "sslcompression",
	"fallback_application_name", "load_balance_hosts"}

// refusedKeywords protect the connection and are not supported: leaving them
// out silently would be less than what the user asked for.
var refusedKeywords = map[string]string{
	"requirepeer":              "PGREQUIREPEER",
	"sslcrl":                   "PGSSLCRL",
	"sslcrldir":                "PGSSLCRLDIR",
	"ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
	"ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
}

// conninfo builds the connection string. As in barman 3.17, a DBName with a "="
// is the whole of it.
func (o Options) conninfo() string {
	if strings.Contains(o.DBName, "=") || strings.HasPrefix(o.DBName, "postgresql://") || strings.HasPrefix(o.DBName, "postgres://") {
		return o.DBName
	}
	var b strings.Builder
	for _, kv := range [][2]string{{"host", o.Host}, {"port", o.Port}, {"user", o.User}, {"dbname", o.DBName}} {
		if kv[1] != "" {
			value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(kv[1])
			fmt.Fprintf(&b, "%s='%s' ", kv[0], value)
		}
	}
	return b.String()
}

func (o Options) config() (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(o.conninfo())
	if err != nil {
		return nil, fmt.Errorf("connection to PostgreSQL: the connection string cannot be used: %s", unquoted(err))
	}
	for _, keyword := range ignoredKeywords {
		delete(config.RuntimeParams, keyword)
	}
	for keyword, env := range refusedKeywords {
		if config.RuntimeParams[keyword] != "" || os.Getenv(env) != "" {
			return nil, fmt.Errorf("connection to PostgreSQL: %s (%s) is not supported: connect over the Unix socket, or leave it out", keyword, env)
		}
	}
	if err := setHostAddress(config); err != nil {
		return nil, err
	}
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4,
	}}
	config.DialFunc = dialer.DialContext
	// No prepared statements, and answers as text: nothing that depends on the
	// types a version has.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["application_name"] = "pgseal"
	config.RuntimeParams["client_encoding"] = "UTF8"
	return config, nil
}

// unquoted is pgx's error without the connection string, of which pgx hides the
// password only where it finds it (5.12: not behind "password = ", nor all of
// one that has a quote in it).
func unquoted(err error) string {
	text := err.Error()
	return strings.TrimPrefix(text[strings.LastIndex(text, "`")+1:], ": ")
}

// setHostAddress does what libpq's hostaddr asks for: dial that address, and
// keep the host's name for its certificate.
func setHostAddress(config *pgx.ConnConfig) error {
	address := config.RuntimeParams["hostaddr"]
	delete(config.RuntimeParams, "hostaddr")
	if address == "" {
		address = os.Getenv("PGHOSTADDR")
	}
	if address == "" {
		return nil
	}
	if net.ParseIP(address) == nil || strings.HasPrefix(config.Host, "/") {
		return fmt.Errorf("connection to PostgreSQL: hostaddr %q: give one IP address, and host as well", address)
	}
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
	return nil
}
