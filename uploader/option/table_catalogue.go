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
		Name: "backup-keep", Barman: "barman-cloud-backup-keep", id: backupKeep,
		Summary: "keep a backup from being deleted, or release it",
		Description: "Marks a backup so that backup-delete leaves it alone, here and in barman-cloud; the WAL that it needs too. It locks " +
			"nothing but with --retain-until. In a locked vault the mark is locked as all else: where the store keeps no versions, it can be released when that " +
			"lock ends. The arguments are those of barman-cloud-backup-keep.",
		Args: []Arg{urlArg, serverArg, backupArg},
	},
	{
		Name: "backup-delete", Barman: "barman-cloud-backup-delete", id: backupDelete,
		Summary: "delete backups that nobody needs, and the WAL that only they needed",
		Description: "Deletes one backup, or all that a policy does not need. It looks first whether all of a backup is free of locks, and " +
			"begins nothing that it could not bring to an end; interrupted, the same command finishes. Versions are deleted for good, without " +
			"delete markers. One complete backup always stays. The arguments are those of barman-cloud-backup-delete.",
		Args: []Arg{urlArg, serverArg},
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
	}, {
		Name: "target", Kind: Choice, Choices: []string{"full", "standalone"}, Exclusive: "keep", in: backupKeep, Group: groupKeep,
		Help: "keep it, to recover from it to any time after it (full), or to its own end only (standalone)",
	}, {
		Name: "release", Short: "r", Kind: Bool, Exclusive: "keep", in: backupKeep, Group: groupKeep,
		Help: "keep it no longer",
	}, {
		Name: "status", Short: "s", Kind: Bool, Exclusive: "keep", in: backupKeep, Group: groupKeep,
		Help: "say whether it is kept, and how",
	}, {
		Name: "retain-until", Kind: Time, Metavar: "TIME", in: backupKeep, Group: groupKeep, Own: true,
		Help: "with --target: also lock the backup and the WAL it needs by itself until then, where the store locks single objects: YYYY-MM-DD, which is midnight UTC, or RFC 3339",
	}, {
		Name: "backup-id", Short: "b", Metavar: "BACKUP_ID", Exclusive: "delete", in: backupDelete, Group: groupDelete,
		Help: "the backup to delete: its id or its name",
	}, {
		Name: "retention-policy", Short: "r", Metavar: "POLICY", Exclusive: "delete", in: backupDelete, Group: groupDelete,
		Help: "delete what this policy does not need: 'REDUNDANCY 3', 'RECOVERY WINDOW OF 14 DAYS' (WEEKS, MONTHS)",
	}, {
		Name: "minimum-redundancy", Short: "m", Kind: Int, Min: 0, Metavar: "COUNT", Default: "1", in: backupDelete, Group: groupDelete,
		Help: "how many complete backups stay, whatever is asked; 0 is taken for 1",
	}, {
		Name: "dry-run", Kind: Bool, in: backupDelete, Group: groupDelete,
		Help: "say what would be deleted, and delete nothing",
	}, {
		Name: "batch-size", Kind: Int, Min: 0, Metavar: "COUNT", in: backupDelete, Group: groupDelete,
		Help: "the most objects to delete at a time; 16 at most (default: 16)",
	}, {
		Name: "check-object-lock", Kind: Bool, in: backupDelete, Group: groupDelete,
		Help: "look for locks first, which is done without it too",
	},
}

func checkPositive(s string) error {
	if n, err := strconv.ParseUint(s, 10, 32); err != nil || n == 0 {
		return fmt.Errorf("'%s' is not a valid positive integer", s)
	}
	return nil
}
