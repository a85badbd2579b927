package pgdata

import (
	"regexp"
	"slices"
	"strings"
)

// What is left out. The first group is pg_basebackup's (basebackup.c of
// PostgreSQL 13 to 18), and like there it holds at any depth.

// emptied directories are archived without their contents: the server rebuilds
// them at start, and a slot that came along would hold back WAL for ever.
var emptied = set("pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial",
	"pg_snapshots", "pg_stat_tmp", "pg_subtrans")

// skipped files belong to the running server, or to another backup.
var skipped = set("postgresql.auto.conf.tmp", "current_logfiles.tmp", "backup_label",
	"tablespace_map", "backup_manifest", "postmaster.pid", "postmaster.opts")

// skippedPrefixes: temporary files, and the relation cache.
var skippedPrefixes = []string{"pgsql_tmp", "pg_internal.init"}

// tempRelation and relation are the file names of relations in a database's
// directory: temporary ones, which the server removes at start, and all others.
var (
	tempRelation = regexp.MustCompile(`^t[0-9]+_[0-9]+(_(fsm|vm|init))?(\.[0-9]+)?$`)
	relation     = regexp.MustCompile(`^([0-9]+)(_(fsm|vm|init))?(\.[0-9]+)?$`)
)

// The second group are the deviations from pg_basebackup.

// skippedAtRoot would turn the restored server into something else than what
// the restore asked for (barman leaves out recovery.conf and standby.signal
// too), or speak of the source's log files.
var skippedAtRoot = set("recovery.signal", "standby.signal", "recovery.conf",
	"backup_label.old", "tablespace_map.old", "current_logfiles")

// logDirectories are archived without their contents, as barman does, in
// addition to the setting log_directory.
var logDirectories = []string{"log", "pg_log"}

// lostAndFound belongs to the file system and to root; it is left out with its
// directory, wherever a file system is mounted.
const lostAndFound = "lost+found"

// required directories are what initdb makes. Each is in the archive whatever
// stands in its place: PostgreSQL does not start without most of them. When one
// is a link (pg_wal on its own disk), a real directory takes its place.
var required = []string{
	"base", "global",
	"pg_commit_ts", "pg_dynshmem",
	"pg_logical", "pg_logical/mappings", "pg_logical/snapshots",
	"pg_multixact", "pg_multixact/members", "pg_multixact/offsets",
	"pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp",
	"pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal", "pg_xact",
}

// Directories are those that initdb makes and a server needs, parents first.
func Directories() []string { return slices.Clone(required) }

// skipFile reports whether the file or directory of this name has no place in
// the archive. rel is the whole tar name.
func skipFile(rel, name string) bool {
	if skipped[name] || name == lostAndFound || rel == ControlName || skippedAtRoot[rel] {
		return true
	}
	for _, prefix := range skippedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// dropRelations removes from the names of a database's directory the temporary
// relations and the main forks (with their maps and segments) of unlogged ones.
// Recovery writes those anew from the init fork, which stays.
func dropRelations(names []string) []string {
	unlogged := map[string]bool{}
	for _, name := range names {
		if m := relation.FindStringSubmatch(name); m != nil && m[3] == "init" {
			unlogged[m[1]] = true
		}
	}
	kept := names[:0]
	for _, name := range names {
		if tempRelation.MatchString(name) {
			continue
		}
		if m := relation.FindStringSubmatch(name); m != nil && m[3] != "init" && unlogged[m[1]] {
			continue
		}
		kept = append(kept, name)
	}
	return kept
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}
