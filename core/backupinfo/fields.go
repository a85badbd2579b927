package backupinfo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Fields are all fields of a backup.info as barman's commands show them: nil for
// None, int64, time.Time, string, and for what has structure []any,
// map[string]any, bool and float64. A field that the file does not have has no
// entry, but for the two that barman gives a default.
type Fields map[string]any

// defaults of barman 3.17 for fields that the file does not have.
const (
	empty              = "EMPTY"
	defaultSegmentSize = int64(16 << 20)
)

// fieldKinds are the fields of barman 3.17 that are no plain strings.
var fieldKinds = map[string]func(string) (any, error){
	"version": wholeNumber, "timeline": wholeNumber, "begin_offset": wholeNumber, "end_offset": wholeNumber,
	"size": wholeNumber, "deduplicated_size": wholeNumber, "xlog_segment_size": wholeNumber, "cluster_size": wholeNumber,
	"begin_time": anyTime, "end_time": anyTime,
	"tablespaces": parseLiteral, "included_files": parseLiteral, "copy_stats": parseLiteral, "snapshots_info": parseLiteral,
	"backup_label": func(s string) (any, error) { return literalString(s) },
}

func wholeNumber(s string) (any, error) { return strconv.ParseInt(s, 10, 64) }

func anyTime(s string) (any, error) { return parseTime(s) }

// ParseFields reads a backup.info field by field, those too that Info has no use
// for. ErrFormat as Parse.
func ParseFields(b []byte) (Fields, error) {
	f := Fields{"status": empty, "xlog_segment_size": defaultSegmentSize}
	if len(b) > MaxBytes || !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8 text of at most %d bytes", ErrFormat, MaxBytes)
	}
	for n, line := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%w: line %d has no '='", ErrFormat, n+1)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		kind := fieldKinds[name]
		switch {
		case value == "None":
			f[name] = nil
		case kind == nil:
			f[name] = value
		default:
			held, err := kind(value)
			if err != nil {
				return nil, fmt.Errorf("line %d, %s: %w: %.80q: %v", n+1, name, ErrFormat, value, err)
			}
			f[name] = held
		}
	}
	return f, nil
}

// Text is a field that is a string, "" for any other.
func (f Fields) Text(name string) string {
	s, _ := f[name].(string)
	return s
}

// Time is a field that is a time, the zero time for any other.
func (f Fields) Time(name string) time.Time {
	t, _ := f[name].(time.Time)
	return t
}

// Quote writes a string as Python's repr does.
func Quote(s string) string { return quote(s) }
