package barman

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/pgseal/pgseal/core/backupinfo"
)

// List writes barman's table: the complete backups. The columns are padded with blanks to the end of the line.
func List(w io.Writer, all []Backup) error {
	var b strings.Builder
	row := func(columns ...any) { fmt.Fprintf(&b, "%-20s%-25s%-30s%-17s%-20s\n", columns...) }
	row("Backup ID", "End Time", "Begin Wal", "Archival Status", "Name")
	for _, k := range all {
		if !k.Done() {
			continue
		}
		kept, end := "", ""
		if k.Keep.Target != "" {
			kept = "KEEP:" + strings.ToUpper(k.Keep.Target)
		}
		if t := k.Fields.Time("end_time"); !t.IsZero() { // barman ends with an error where it is missing
			end = t.Format("2006-01-02 15:04:05")
		}
		row(k.ID, end, printable(k.Fields.Text("begin_wal")), kept, printable(k.Fields.Text("backup_name")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Show writes what barman 3.4 shows of one backup.
func Show(w io.Writer, k Backup) error {
	var b strings.Builder
	row := func(name string, value any) { fmt.Fprintf(&b, "  %-23s: %s\n", name, python(value)) }
	nested := func(name string, value any) { fmt.Fprintf(&b, "    %-21s: %s\n", name, python(value)) }
	f := k.Fields

	fmt.Fprintf(&b, "Backup %s:\n", k.ID)
	if f["backup_name"] != nil {
		row("Backup Name", f["backup_name"])
	}
	row("Server Name", f["server_name"])
	if f.Text("systemid") != "" {
		row("System Id", f["systemid"])
	}
	row("Status", f["status"])
	if status := f.Text("status"); status != backupinfo.Done && status != "WAITING_FOR_WALS" {
		if f.Text("error") != "" {
			row("Error", f["error"])
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	row("PostgreSQL Version", f["version"])
	row("PGDATA directory", f["pgdata"])
	b.WriteString("\n")
	if len(k.Info.Tablespaces) > 0 {
		b.WriteString("  Tablespaces:\n")
		for _, t := range k.Info.Tablespaces {
			nested(printable(t.Name), fmt.Sprintf("%s (oid: %d)", t.Location, t.OID))
		}
		b.WriteString("\n")
	}
	b.WriteString("  Base backup information:\n")
	nested("Timeline", f["timeline"])
	nested("Begin WAL", f["begin_wal"])
	nested("End WAL", f["end_wal"])
	nested("Begin time", f["begin_time"])
	nested("End time", f["end_time"])
	if stats, ok := f["copy_stats"].(map[string]any); ok && seconds(stats["copy_time"]) > 0 {
		took := timedelta(seconds(stats["copy_time"]))
		if startup := seconds(stats["analysis_time"]); startup >= 1 {
			took += " + " + timedelta(startup) + " startup"
		}
		nested("Copy time", took)
	}
	nested("Begin Offset", f["begin_offset"])
	nested("End Offset", f["end_offset"])
	nested("Begin LSN", f["begin_xlog"])
	nested("End LSN", f["end_xlog"])
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// python is what Python's str makes of a value, without what a terminal would obey.
func python(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case time.Time:
		return isoformat(v, " ")
	}
	return printable(fmt.Sprint(value))
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// seconds is a number of copy_stats, which may be whole.
func seconds(v any) float64 {
	f, _ := v.(float64)
	n, _ := v.(int64)
	return cmp.Or(f, float64(n))
}

// timedelta is barman's words for a span of time. Python rounds to microseconds first.
func timedelta(seconds float64) string {
	d := time.Duration(min(seconds, 1e9) * 1e9).Round(time.Microsecond)
	var parts []string
	for _, unit := range []struct {
		name string
		span time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := d / unit.span
		d %= unit.span
		switch {
		case n == 1:
			parts = append(parts, fmt.Sprintf("1 %s", unit.name))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	if len(parts) == 0 {
		return "less than one second"
	}
	return strings.Join(parts, ", ")
}
