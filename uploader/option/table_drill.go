package option

// drillCommand is the command that nobody else has.
var drillCommand = &Command{
	Name: "drill", id: drill,
	Summary: "prove that a backup comes back: restore it aside, start PostgreSQL on it, look, and clean up",
	Description: "Restores a complete backup into a scratch directory, verifies it with pg_verifybackup, starts PostgreSQL there with nothing " +
		"but a socket in that directory, recovers, looks with pg_amcheck and a query, stops it, removes the directory, and writes " +
		"what came of it beside the verdict in staging, where pgseal status shows it. For a timer, as the user that PostgreSQL runs as, with the " +
		"credentials that restore. Exit codes: 0 the backup came back, 14 it did not, which the proof says too; 1 the drill could not be held, " +
		"which says nothing of the backup and leaves no proof.",
	Args: []Arg{urlArg, serverArg,
		{Name: "BACKUP_ID", Optional: true, Help: "the backup, as for restore: its id, its name, latest or oldest (default: latest)"}},
}

// drilling holds the options of the drill.
var drilling = []Option{
	{
		Name: "scratch-directory", Env: "PGSEAL_SCRATCH_DIRECTORY", Metavar: "DIR", in: drill, Group: groupDrill, Own: true,
		Help: "where there is room for the restored files; a directory is made in it, and removed (default: TMPDIR, or /tmp)",
	}, {
		Name: "keep", Kind: Bool, in: drill, Group: groupDrill, Own: true,
		Help: "stop PostgreSQL, and leave the restored files and the server's log where they are",
	}, {
		Name: "pg-bindir", Env: "PGSEAL_PG_BINDIR", Metavar: "DIR", in: drill, Group: groupDrill, Own: true,
		Help: "the directory of PostgreSQL's programs, of the backup's major version (default: where Debian's and PGDG's packages have it, then PATH)",
	}, {
		Name: "end-of-wal", Kind: Bool, in: drill, Group: groupDrill, Own: true,
		Help: "recover to the end of the archived WAL, not only to the end of the backup: longer, the older the backup is",
	}, {
		Name: "amcheck", Kind: Bool, Negatable: true, in: drill, Group: groupDrill, Own: true,
		Help: "check tables and indexes with pg_amcheck (default: if it is there)",
	}, {
		Name: "query", Env: "PGSEAL_DRILL_QUERY", Metavar: "SQL", in: drill, Group: groupDrill, Own: true,
		Help: "run this, which must end without an error; the proof tells how many rows came, and their SHA-256",
	}, {
		Name: "dbname", Short: "d", Metavar: "DBNAME", Default: "postgres", in: drill, Group: groupDrill, Own: true,
		Help: "the database of the query",
	}, {
		Name: "user", Short: "U", Metavar: "USER", Default: "postgres", in: drill, Group: groupDrill, Own: true,
		Help: "the superuser to connect as; no password is asked for",
	},
}
