package backupinfo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/layout"
)

// MaxBytes bounds a backup.info that is read: a label, some paths and the
// tablespaces need a few kilobytes.
const MaxBytes = 1 << 20

// Parse reads a backup.info of pgseal or of any barman from 2.x on. Fields it
// does not know are named in Unknown. ErrFormat when a line or a value cannot
// be read.
func Parse(b []byte) (Info, error) {
	var i Info
	if len(b) > MaxBytes || !utf8.Valid(b) {
		return i, fmt.Errorf("%w: not UTF-8 text of at most %d bytes", ErrFormat, MaxBytes)
	}
	for n, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if comment, ok := strings.CutPrefix(line, "#"); ok {
			i.Comments = append(i.Comments, strings.TrimSpace(comment))
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return i, fmt.Errorf("%w: line %d has no '='", ErrFormat, n+1)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if value == "None" {
			value = ""
		}
		if err := i.set(name, value); err != nil {
			return i, fmt.Errorf("line %d, %s: %w", n+1, name, err)
		}
	}
	return i, nil
}

// Comment gives the value of pgseal's comment "pgseal <name>=<value>", "" when
// it is not there.
func (i Info) Comment(name string) string {
	for _, c := range i.Comments {
		if value, ok := strings.CutPrefix(c, "pgseal "+name+"="); ok {
			return value
		}
	}
	return ""
}

// derived are the fields that follow from others, or that barman always leaves
// null.
var derived = map[string]bool{
	"begin_offset": true, "begin_wal": true, "end_offset": true, "end_wal": true, "compression": true,
	"deduplicated_size": true, "mode": true,
	// written by barman 3.11 and later
	"children_backup_ids": true, "cluster_size": true, "data_checksums": true, "parent_backup_id": true,
	"summarize_wal": true, "encryption": true, "snapshots_info": true,
}

func (i *Info) set(name, value string) (err error) {
	text := map[string]*string{
		"status": &i.Status, "error": &i.Error, "backup_name": &i.BackupName, "server_name": &i.ServerName,
		"systemid": &i.SystemID, "pgdata": &i.PGData, "config_file": &i.ConfigFile, "hba_file": &i.HBAFile,
		"ident_file": &i.IdentFile,
	}
	if field := text[name]; field != nil {
		*field = value
		return nil
	}
	if derived[name] || value == "" {
		return nil
	}
	switch name {
	case "backup_label":
		i.Label, err = literalString(value)
	case "included_files":
		err = i.setIncluded(value)
	case "tablespaces":
		err = i.setTablespaces(value)
	case "copy_stats":
		err = i.setStats(value)
	case "begin_time":
		i.BeginTime, err = parseTime(value)
	case "end_time":
		i.EndTime, err = parseTime(value)
	case "begin_xlog":
		i.BeginLSN, err = layout.ParseLSN(value)
	case "end_xlog":
		i.EndLSN, err = layout.ParseLSN(value)
	case "timeline":
		var n uint64
		n, err = strconv.ParseUint(value, 10, 32)
		i.Timeline = uint32(n)
	case "version":
		i.Version, err = strconv.Atoi(value)
	case "xlog_segment_size":
		i.SegmentSize, err = strconv.ParseInt(value, 10, 64)
	case "size":
		i.Size, err = strconv.ParseInt(value, 10, 64)
	default:
		i.Unknown = append(i.Unknown, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %.80q: %v", ErrFormat, value, err)
	}
	return nil
}

// parseTime reads what barman writes and what its lenient reader takes besides.
func parseTime(s string) (time.Time, error) {
	var err error
	for _, f := range []string{"2006-01-02 15:04:05.999999-07:00", "2006-01-02 15:04:05.999999-07", time.RFC3339, "2006-01-02 15:04:05.999999"} {
		var t time.Time
		if t, err = time.Parse(f, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

func literalString(s string) (string, error) {
	v, err := parseLiteral(s)
	text, ok := v.(string)
	if err == nil && !ok {
		err = fmt.Errorf("%w: no string", ErrFormat)
	}
	return text, err
}

func (i *Info) setIncluded(s string) error {
	v, err := parseLiteral(s)
	files, ok := v.([]any)
	if err != nil || !ok {
		return fmt.Errorf("%w: no list: %v", ErrFormat, err)
	}
	for _, f := range files {
		name, ok := f.(string)
		if !ok {
			return fmt.Errorf("%w: no list of strings", ErrFormat)
		}
		i.Included = append(i.Included, name)
	}
	return nil
}

func (i *Info) setTablespaces(s string) error {
	v, err := parseLiteral(s)
	list, ok := v.([]any)
	if err != nil || !ok {
		return fmt.Errorf("%w: no list: %v", ErrFormat, err)
	}
	for _, item := range list {
		t, _ := item.([]any)
		if len(t) != 3 {
			return fmt.Errorf("%w: a tablespace is name, oid and location", ErrFormat)
		}
		name, ok1 := t[0].(string)
		oid, ok2 := t[1].(int64)
		location, ok3 := t[2].(string)
		if !ok1 || !ok2 || !ok3 || oid <= 0 || oid > 1<<32-1 {
			return fmt.Errorf("%w: a tablespace is name, oid and location", ErrFormat)
		}
		i.Tablespaces = append(i.Tablespaces, Tablespace{name, uint32(oid), location})
	}
	return nil
}

func (i *Info) setStats(s string) error {
	v, err := parseLiteral(s)
	d, ok := v.(map[string]any)
	if err != nil || !ok {
		return fmt.Errorf("%w: no dict: %v", ErrFormat, err)
	}
	total, _ := d["total_time"].(float64)
	workers, _ := d["number_of_workers"].(int64)
	i.Stats = &CopyStats{Total: time.Duration(total * float64(time.Second)).Round(time.Millisecond), Workers: int(workers)}
	return nil
}
