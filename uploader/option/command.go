package option

import (
	"path/filepath"
	"slices"
	"strings"
)

// Command is one of pgseal's commands.
type Command struct {
	// Name is what is typed after pgseal; Barman is the program whose arguments it takes, or "".
	Name, Barman string
	// Summary is one line, Description a paragraph or more.
	Summary, Description string
	// Args are the positional arguments, the optional ones last.
	Args []Arg

	id commandSet
}

// Arg is a positional argument.
type Arg struct {
	Name     string // as Values knows it and as it is shown
	Optional bool
	Help     string
}

type commandSet uint

const (
	backup commandSet = 1 << iota
	walArchive
	status
	finalize
	sweep
	audit
	walRestore
	restore
	doctor
	backupList
	backupShow
	checkWALArchive
	page
	drill
	backupKeep
	backupDelete

	uploads = backup | walArchive
	every   = backup | walArchive | status | finalize | sweep | audit | walRestore | restore | doctor | page | drill | catalogue

	// catalogue are barman-cloud's commands for what is there.
	catalogue = backupList | backupShow | checkWALArchive | backupKeep | backupDelete
)

var (
	urlArg    = Arg{Name: "URL", Help: "the vault: s3://bucket/path, gs://bucket/path, https://account.blob.core.windows.net/container/path or file:///path; a slash at the end makes no difference"}
	serverArg = Arg{Name: "SERVER", Help: "the server's name in the vault, as barman-cloud uses it"}
)

// Commands lists every command, in the order of the overview.
var Commands = slices.Concat(commands, catalogueCommands)

var commands = []*Command{
	{
		Name: "backup", Barman: "barman-cloud-backup", id: backup,
		Summary: "take a base backup into the vault and have it sealed",
		Description: "Takes a base backup of the PostgreSQL server whose files are on this host and streams it into " +
			"the vault, every object once. The arguments are those of barman-cloud-backup, without disk snapshots.",
		Args: []Arg{urlArg, serverArg},
	},
	{
		Name: "wal-archive", Barman: "barman-cloud-wal-archive", id: walArchive,
		Summary: "archive a WAL file; for PostgreSQL's archive_command",
		Description: "Stores one WAL file. A file that is there already with the same content is a success, with " +
			"other content an error. It gives up after ten minutes; PostgreSQL then calls it again. The arguments are " +
			"those of barman-cloud-wal-archive.",
		Args: []Arg{urlArg, serverArg, {Name: "WAL_PATH", Optional: true, Help: "the WAL file, %p in archive_command"}},
	},
	{
		Name: "wal-restore", Barman: "barman-cloud-wal-restore", id: walRestore,
		Summary: "bring a WAL file back; for PostgreSQL's restore_command",
		Description: "Writes one WAL file, whatever its compression, after it was found to be what its name says. Exit code 1 says " +
			"that the archive does not have it, which ends a recovery, and is given for nothing else: what cannot be read is tried " +
			"again, and then is 255, at which PostgreSQL stops. The arguments are those of barman-cloud-wal-restore.",
		Args: []Arg{urlArg, serverArg, {Name: "WAL_NAME", Help: "the file's name, %f in restore_command"}, {Name: "WAL_DEST", Help: "where to write it, %p in restore_command"}},
	},
	{
		Name: "restore", Barman: "barman-cloud-restore", id: restore,
		Summary: "restore a backup, ready for PostgreSQL to recover from",
		Description: "Restores a complete backup into a new data directory, and writes what PostgreSQL needs for recovery, with " +
			"archiving off. Of a sealed backup it reads exactly what was sealed, and verifies every byte. Interrupted, the same " +
			"command goes on where it was. The arguments are those of barman-cloud-restore; called by that name it restores the " +
			"files alone.",
		Args: []Arg{urlArg, serverArg,
			{Name: "BACKUP_ID", Help: "the backup: its id, its name, latest (the newest that ends before the target; also auto, last) or oldest (also first)"},
			{Name: "RECOVERY_DIR", Optional: true, Help: "the new data directory, absent or empty; not needed with --verify-only"}},
	},
	drillCommand,
	{
		Name: "status", id: status,
		Summary:     "show every backup of a server: running, sealed, waiting, rejected",
		Description: "Shows what is in the vault and in staging, and what to do about it.",
		Args:        []Arg{urlArg, serverArg},
	},
	{
		Name: "finalize", id: finalize,
		Summary:     "check a backup and seal it, by hand",
		Description: "Does what the cloud function does when a backup is complete, also when its marker is gone.",
		Args:        []Arg{urlArg, serverArg, {Name: "ID", Optional: true, Help: "the backup's id; needed unless --all is given"}},
	},
	{
		Name: "sweep", id: sweep,
		Summary: "do what no event asked for: lost backups, waiting and abandoned ones, an audit",
		Description: "Does what the cloud function does on its schedule, with the credentials at hand and for all servers: seals " +
			"complete backups whose marker or event was lost, tries those that wait for WAL again, notes abandoned uploads, and " +
			"audits what is sealed. For cron. It is bounded; what it does not get to, the next run does.",
		Args: []Arg{urlArg},
	},
	{
		Name: "audit", id: audit,
		Summary: "look through a whole catalogue for what a restore would stumble over",
		Description: "Looks at every backup and all of the WAL of a server, whoever wrote them: pgseal, barman-cloud or " +
			"CloudNativePG. It only reads, and needs no staging. Exit codes: 0 nothing found, 1 warnings, 2 something critical, " +
			"3 it could not look.",
		Args: []Arg{urlArg, serverArg},
	},
	{
		Name: "doctor", id: doctor,
		Summary: "look whether a deployment protects its backups, and what is missing",
		Description: "Looks at vault, staging and PostgreSQL with the credentials at hand, best on the database host and as the user " +
			"that takes the backups, and says line by line what is well and what to do where it is not. Whatever these credentials must not " +
			"be able to do in the vault is tried by requests that could change nothing even if they were allowed. It writes one object, " +
			"SERVER/doctor.txt in staging. Exit codes: 0 nothing found, 1 warnings, 2 something critical, 3 it could not look.",
		Args: []Arg{urlArg, serverArg},
	},
	{
		Name: "report", id: page,
		Summary: "make a page that shows how everything stands: timeline, trends, locks, WAL, findings",
		Description: "Writes one HTML page of what status and audit read: a timeline of backups, drills and WAL, size and duration, " +
			"what can be deleted when, and what is wrong. It loads nothing and runs no script, so it can be mailed or put on any web " +
			"server; it names buckets, hosts and backups. It only reads.",
		Args: []Arg{urlArg, {Name: "SERVER", Optional: true, Help: serverArg.Help + "; every server of the vault when it is left out"}},
	},
}

// Find looks at a whole command line, the program's name included: the command is the one that the program is named
// after (barman-cloud-backup) or else the first argument. prog is how to call the program in messages, args is what is
// left for Parse. The error is ErrHelp or ErrVersion, with no command, or an Error.
func Find(argv []string) (cmd *Command, prog string, args []string, err error) {
	prog = "pgseal"
	if len(argv) > 0 {
		prog, args = filepath.Base(argv[0]), argv[1:]
	}
	for _, c := range Commands {
		if prog == c.Barman {
			return c, prog, args, nil
		}
	}
	if len(args) == 0 {
		return nil, prog, nil, Errorf("which command? %s", commandNames())
	}
	switch args[0] {
	case "-h", "--help", "help":
		return nil, prog, nil, ErrHelp
	case "-V", "--version", "version":
		return nil, prog, nil, ErrVersion
	}
	for _, c := range Commands {
		if args[0] == c.Name {
			return c, prog + " " + c.Name, args[1:], nil
		}
	}
	return nil, prog, nil, Errorf("%q is not a command; there are %s", args[0], commandNames())
}

func commandNames() string {
	var names []string
	for _, c := range Commands {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// Options returns the command's options in the order of the table.
func (c *Command) Options() []*Option {
	var list []*Option
	for i := range table {
		if table[i].in&c.id != 0 {
			list = append(list, &table[i])
		}
	}
	return list
}

func (c *Command) option(name string) *Option {
	for _, o := range c.Options() {
		if o.Name == name {
			return o
		}
	}
	return nil
}
