package drill

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// settings are the whole configuration of the drill's server: nothing that the backup's postgresql.conf, or its
// postgresql.auto.conf, says has an effect. What is not here is PostgreSQL's default.
func (h *held) settings(control pgdata.Control) [][2]string {
	major := h.backup.Info.Version / 10000
	list := [][2]string{
		// Alone: a socket that only this user reaches, and no way out.
		{"listen_addresses", ""},
		{"port", fmt.Sprint(port)},
		{"unix_socket_directories", `"` + strings.ReplaceAll(h.scratch.dir, `"`, `""`) + `"`},
		{"unix_socket_permissions", "0700"},
		{"hba_file", filepath.Join(h.scratch.dir, "pg_hba.conf")},
		{"ident_file", filepath.Join(h.scratch.dir, "pg_ident.conf")},
		{"ssl", "off"},
		{"archive_mode", "off"},
		{"primary_conninfo", ""},
		{"max_wal_senders", "0"},
		{"max_logical_replication_workers", "0"}, // also the launcher's: no subscription connects
		{"shared_preload_libraries", ""},
		{"session_preload_libraries", ""},
		{"local_preload_libraries", ""},
		{"autovacuum", "off"},
		{"jit", "off"}, // it needs a library, and memory that is both written and run
		{"restart_after_crash", "off"},
		{"logging_collector", "off"},
		{"log_destination", "stderr"},
		{"log_line_prefix", ""},
		{"lc_messages", "C"},

		// Recovery, and then an ordinary server: whoever looks may make temporary tables. It takes no connection before
		// it is consistent, so that the settings of the source for a standby need not be met.
		{"restore_command", h.Command},
		{"recovery_target_action", "promote"},
		{"hot_standby", "off"},

		// Prepared transactions come back with their locks, replication origins with their progress.
		{"max_connections", fmt.Sprint(max(control.MaxConnections, 20))},
		{"max_prepared_transactions", fmt.Sprint(control.MaxPreparedTransactions)},
		{"max_locks_per_transaction", fmt.Sprint(max(control.MaxLocksPerTransaction, 64))},
		{"max_replication_slots", "1000"},

		// Nothing here outlives the drill.
		{"fsync", "off"},
		{"full_page_writes", "off"},
		{"synchronous_commit", "off"},
		{"min_wal_size", "80MB"},
		{"max_wal_size", fmt.Sprintf("%dMB", max(forWAL>>20, 2*h.backup.Info.SegmentSize>>20))},
	}
	if major >= 18 {
		list = append(list, [2]string{"max_active_replication_origins", "1000"})
	}
	if h.EndOfWAL {
		return append(list, [2]string{"recovery_target_timeline", "latest"})
	}
	// The end of the backup is on its own timeline: no history file has a say in it.
	return append(list, [2]string{"recovery_target", "immediate"}, [2]string{"recovery_target_timeline", "current"})
}

// session are the settings of a connection, which win over what the backup says of databases and roles.
func (h *held) session() string {
	o := "-c session_preload_libraries= -c local_preload_libraries= -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
	if h.backup.Info.Version >= 170000 {
		o += " -c transaction_timeout=0 -c event_triggers=off" // the ones on login
	}
	return o
}

// configure writes the configuration, and empties the one that came with the backup and is read all the same.
func (h *held) configure() error {
	_, control, err := pgdata.ReadControl(h.scratch.data())
	if err != nil {
		return err
	}
	var conf strings.Builder
	for _, s := range h.settings(control) {
		fmt.Fprintf(&conf, "%s = '%s'\n", s[0], strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s[1]))
	}
	auto := filepath.Join(h.scratch.data(), "postgresql.auto.conf")
	if err := os.Remove(auto); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for path, text := range map[string]string{
		h.scratch.config(): conf.String(),
		auto:               "# pgseal drill: the server's whole configuration is in " + h.scratch.config() + "\n",
		filepath.Join(h.scratch.dir, "pg_hba.conf"):   "local all all trust\n", // the socket is this user's alone
		filepath.Join(h.scratch.dir, "pg_ident.conf"): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return os.Chmod(h.scratch.data(), 0o700) // PostgreSQL asks for it
}
