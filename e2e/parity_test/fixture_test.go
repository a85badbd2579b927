package parity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// backupInfo is what barman 3.4 writes, with some fields as asked: "name=value", and "name" alone to leave one out.
func backupInfo(id string, segment int, changes ...string) string {
	wal := fmt.Sprintf("0000000100000000%08X", segment)
	lsn := fmt.Sprintf("0/%X", segment<<24)
	text := `backup_label='START WAL LOCATION: ` + lsn + ` (file ` + wal + `)\nLABEL: Barman backup cloud ` + id + `\n'
begin_offset=40
begin_time=` + stamp(id) + `.745417+00:00
begin_wal=` + wal + `
begin_xlog=0/` + fmt.Sprintf("%X", segment<<24+40) + `
compression=None
config_file=/var/lib/pg/pg15/postgresql.conf
copy_stats={'total_time': 4.097929, 'number_of_workers': 2, 'analysis_time': 0, 'copy_time_per_item': {'16384': 0.065659, 'data': 3.665292}, 'copy_time': 3725.665292}
deduplicated_size=None
end_offset=256
end_time=` + stamp(id) + `.804283-05:00
end_wal=` + wal + `
end_xlog=0/` + fmt.Sprintf("%X", segment<<24+256) + `
error=None
hba_file=/var/lib/pg/pg15/pg_hba.conf
ident_file=/var/lib/pg/pg15/pg_ident.conf
included_files=['/var/lib/pg/pg15/postgresql.auto.conf']
mode=None
pgdata=/var/lib/pg/pg15
server_name=cloud
size=None
status=DONE
systemid=7711113157438588137
tablespaces=[('ts1', 16384, '/var/lib/pg/ts1'), ("t's 2", 16385, '/var/lib/pg/ts two')]
timeline=1
version=150018
xlog_segment_size=16777216
`
	for _, change := range changes {
		name, _, replaced := strings.Cut(change, "=")
		before, rest, found := strings.Cut("\n"+text, "\n"+name+"=")
		if found {
			_, rest, _ = strings.Cut(rest, "\n")
			text = before + "\n" + rest
		}
		if replaced {
			text += change + "\n"
		}
	}
	return strings.TrimPrefix(text, "\n")
}

// stamp is the id as a time.
func stamp(id string) string {
	return fmt.Sprintf("%s-%s-%s %s:%s:%s", id[:4], id[4:6], id[6:8], id[9:11], id[11:13], id[13:15])
}

// The ids of the catalogues, oldest first.
const (
	first  = "20260101T010203"
	second = "20260202T010203"
	third  = "20260303T010203"
	fourth = "20260404T010203"
)

// addBackup stores a backup with small archives, and its segment of WAL.
func addBackup(t *testing.T, b bucket.Bucket, server, id string, segment int, changes ...string) {
	t.Helper()
	dir := layout.BackupDir(server, id)
	for _, name := range []string{"data.tar.gz", "data_0001.tar.gz", "16384.tar.gz", "16385.tar.gz"} {
		put(t, b, dir+name, "no archive")
	}
	put(t, b, dir+layout.BackupInfoName, backupInfo(id, segment, changes...))
	addWAL(t, b, server, segment)
}

func addWAL(t *testing.T, b bucket.Bucket, server string, segments ...int) {
	t.Helper()
	for _, n := range segments {
		put(t, b, layout.WAL(server, fmt.Sprintf("0000000100000000%08X", n), ".gz"), "no WAL")
	}
}

// manyKinds is a catalogue with all that a listing meets: complete backups, with a name and without, in other offsets and
// with a manifest; one that runs, one that failed; one without a backup.info, and one that cannot be read.
func manyKinds(t *testing.T, b bucket.Bucket, server string) {
	t.Helper()
	addBackup(t, b, server, first, 1)
	addBackup(t, b, server, second, 3, "backup_name=before the move", "tablespaces=None", "included_files=None", "end_time=2026-02-02 23:59:59+05:30")
	put(t, b, layout.Manifest(server, second), "{}")
	addBackup(t, b, server, third, 5, "status=FAILED", "error=failure uploading data (it broke)", "end_time=None", "end_wal=None", "copy_stats=None", "backup_label=None")
	addBackup(t, b, server, fourth, 7, "status=STARTED", "end_time=None", "end_wal=None", "copy_stats=None", "backup_label=None")
	put(t, b, layout.BackupDir(server, "20260505T010203")+"data.tar", "an upload that runs")
	put(t, b, layout.BackupInfo(server, "20260606T010203"), "this is no backup.info\n")
	put(t, b, layout.BaseDir(server)+"stray", "a file below base")
}
