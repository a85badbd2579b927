package barman

import (
	"encoding/json"
	"io"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
)

// always are the fields that barman 3.4 shows of every backup, null where the file does not have them. Those that came
// later are shown where the file has them.
var always = []string{
	"backup_label", "begin_offset", "begin_time", "begin_wal", "begin_xlog", "compression", "config_file", "copy_stats",
	"deduplicated_size", "end_offset", "end_time", "end_wal", "end_xlog", "error", "hba_file", "ident_file",
	"included_files", "mode", "pgdata", "server_name", "size", "status", "systemid", "tablespaces", "timeline", "version",
	"xlog_segment_size",
}

// later are the fields of newer barmans, up to 3.17, and those two that are left out when they are null.
var later = []string{
	"children_backup_ids", "cluster_size", "data_checksums", "encryption", "parent_backup_id", "summarize_wal",
}

var leftOutIfNull = []string{"backup_name", "snapshots_info"}

// document is a backup as barman's JSON has it. Times are ctime's, in the offset that the file has them in, and later also
// (3.17 has them, 3.4 has not) ISO 8601's; CloudNativePG reads both (its mirror of 2026-07).
func (b Backup) document() map[string]any {
	d := map[string]any{"backup_id": b.ID}
	for _, name := range always {
		d[name] = b.Fields[name]
	}
	for _, name := range later {
		if value, there := b.Fields[name]; there {
			d[name] = value
		}
	}
	for _, name := range leftOutIfNull {
		if value := b.Fields[name]; value != nil {
			d[name] = value
		}
	}
	for _, name := range []string{"begin_time", "end_time"} {
		if t := b.Fields.Time(name); !t.IsZero() {
			d[name], d[name+"_iso"] = t.Format(time.ANSIC), isoformat(t, "T")
		}
	}
	// Its own dump into backup.info goes into JSON as well: a string in Python's quotes, inside of JSON's.
	d["backup_label"] = nil
	if label := b.Fields.Text("backup_label"); label != "" {
		d["backup_label"] = backupinfo.Quote(label)
	}
	return d
}

// isoformat is Python's: microseconds only if there are any.
func isoformat(t time.Time, between string) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02" + between + "15:04:05-07:00")
	}
	return t.Format("2006-01-02" + between + "15:04:05.000000-07:00")
}

// ListJSON writes all backups, whatever their status.
func ListJSON(w io.Writer, all []Backup) error {
	list := make([]map[string]any, len(all))
	for i, b := range all {
		list[i] = b.document()
	}
	return writeJSON(w, map[string]any{"backups_list": list})
}

// ShowJSON writes one backup, under the name of the server that its backup.info has, which barman-cloud always calls
// "cloud".
func ShowJSON(w io.Writer, b Backup) error {
	name := b.Fields.Text("server_name")
	if name == "" {
		name = "null"
	}
	return writeJSON(w, map[string]any{name: b.document()})
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
