package option

import (
	"fmt"
	"strconv"
)

var backupArg = Arg{Name: "BACKUP_ID", Help: "the backup: its id or its name"}

// catalogueCommands are barman-cloud's commands for what is there.
var catalogueCommands = []*Command{
	{
		Name: "backup-list", Barman: "barman-cloud-backup-list", id: backupList,
		Summary: "list the backups of a server, as barman-cloud does",
		Description: "Lists the complete backups of a server, with those that are kept marked; in JSON all that have a backup.info. " +
			"The arguments and the output are those of barman-cloud-backup-list; pgseal status tells more.",
		Args: []Arg{urlArg, serverArg},
	},
	{
		Name: "backup-show", Barman: "barman-cloud-backup-show", id: backupShow,
		Summary:     "show what the backup.info of one backup says",
		Description: "Shows one backup. The arguments and the output are those of barman-cloud-backup-show.",
		Args:        []Arg{urlArg, serverArg, backupArg},
	},
	{
		Name: "check-wal-archive", Barman: "barman-cloud-check-wal-archive", id: checkWALArchive,
		Summary: "check that a new server may archive its WAL here",
		Description: "Fails if the server's WAL archive has any WAL, or any of a timeline on. A bucket that is not there passes, and is " +
			"not made. The arguments are those of barman-cloud-check-wal-archive.",
		Args: []Arg{urlArg, serverArg},
	},
}

// catalogueOptions are what these commands understand besides what all do.
var catalogueOptions = []Option{
	{
		Name: "format", Kind: Choice, Choices: []string{"console", "json"}, Default: "console", in: backupList | backupShow, Group: groupReport,
		Help: "how to write the answer",
	}, {
		Name: "timeline", Metavar: "TIMELINE", Check: checkPositive, in: checkWALArchive, Group: groupReport,
		Help: "fail only if there is WAL of this timeline or a later one",
	},
}

func checkPositive(s string) error {
	if n, err := strconv.ParseUint(s, 10, 32); err != nil || n == 0 {
		return fmt.Errorf("'%s' is not a valid positive integer", s)
	}
	return nil
}
