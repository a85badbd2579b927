package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgseal/pgseal/core/layout"
)

// Label is a parsed backup_label.
type Label struct {
	StartLSN      layout.LSN
	StartWALFile  string
	CheckpointLSN layout.LSN
	// Method is "streamed", From "primary" (which PostgreSQL 13 writes as
	// "master") or "standby".
	Method, From string
	// StartTime is in the server's log_timezone, which it names only by an
	// abbreviation ("2026-11-22 21:57:19 UTC"): for people.
	StartTime string
	// Text is what was given to pg_backup_start.
	Text          string
	StartTimeline uint32
}

// maxLabel in bytes: the text is at most 1,023, and the rest is short.
const maxLabel = 4096

// labelKeys are the lines in their order (xlogbackup.c of PostgreSQL 15, xlog.c
// before).
var labelKeys = []string{"START WAL LOCATION", "CHECKPOINT LOCATION", "BACKUP METHOD",
	"BACKUP FROM", "START TIME", "LABEL", "START TIMELINE"}

// ParseLabel reads a backup_label as PostgreSQL 13 to 18 write it: every line,
// in this order, and no other (so no incremental backup, and no line smuggled
// in by a text with a newline). Errors: ErrFormat.
func ParseLabel(text string) (Label, error) {
	if len(text) > maxLabel {
		return Label{}, fmt.Errorf("%w: %d bytes long", ErrFormat, len(text))
	}
	lines := strings.Split(text, "\n")
	if len(lines) != len(labelKeys)+1 || lines[len(labelKeys)] != "" {
		return Label{}, fmt.Errorf("%w: %d lines instead of %d", ErrFormat, len(lines)-1, len(labelKeys))
	}
	values := make([]string, len(labelKeys))
	for i, key := range labelKeys {
		value, ok := strings.CutPrefix(lines[i], key+": ")
		if !ok {
			return Label{}, fmt.Errorf("%w: line %d is %q instead of %s", ErrFormat, i+1, lines[i], key)
		}
		values[i] = value
	}
	l := Label{Method: values[2], From: values[3], StartTime: values[4], Text: values[5]}
	if l.From == "master" {
		l.From = "primary"
	}
	lsn, file, _ := strings.Cut(values[0], " (file ")
	var errs [3]error
	l.StartLSN, errs[0] = layout.ParseLSN(lsn)
	l.CheckpointLSN, errs[1] = layout.ParseLSN(values[1])
	timeline, err := strconv.ParseUint(values[6], 10, 32)
	l.StartTimeline, errs[2] = uint32(timeline), err
	for i, err := range errs {
		if err != nil {
			return Label{}, fmt.Errorf("%w: line %d: %w", ErrFormat, []int{1, 2, 7}[i], err)
		}
	}
	file, ok := strings.CutSuffix(file, ")")
	l.StartWALFile = file
	// The first 16 digits do not depend on the segment size.
	begin := fmt.Sprintf("%08X%08X", l.StartTimeline, uint32(l.StartLSN>>32))
	switch {
	case !ok || layout.KindOfWAL(file) != layout.WALSegment || file[:16] != begin:
		return Label{}, fmt.Errorf("%w: WAL file %q does not belong to %s on timeline %d", ErrFormat, file, l.StartLSN, l.StartTimeline)
	case l.StartTimeline == 0:
		return Label{}, fmt.Errorf("%w: timeline 0", ErrFormat)
	case l.CheckpointLSN < l.StartLSN:
		return Label{}, fmt.Errorf("%w: checkpoint %s before start %s", ErrFormat, l.CheckpointLSN, l.StartLSN)
	case l.Method != "streamed" || (l.From != "primary" && l.From != "standby"):
		return Label{}, fmt.Errorf("%w: method %q from %q", ErrFormat, l.Method, l.From)
	}
	return l, nil
}
