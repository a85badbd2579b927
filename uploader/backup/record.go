package backup

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/layout"
)

// recordTimeout bounds the last words of a backup that failed.
const recordTimeout = 30 * time.Second

// info is the record in staging, in barman's words, as far as things are known.
func (r *run) info(status, failure string) backupinfo.Info {
	i := backupinfo.Info{
		Status: status, Error: failure, BackupName: r.Name, ServerName: "cloud",
		Version: r.facts.Version, SystemID: strconv.FormatUint(r.facts.SystemID, 10), Timeline: r.facts.Timeline, SegmentSize: r.facts.WALSegmentSize,
		PGData: r.facts.DataDirectory, ConfigFile: r.facts.ConfigFile, HBAFile: r.facts.HBAFile, IdentFile: r.facts.IdentFile,
		Included:  r.facts.IncludedFiles,
		BeginTime: r.start.Time, BeginLSN: r.start.LSN, EndTime: r.stop.Time, EndLSN: r.stop.LSN, Label: r.stop.Label,
		Comments: []string{r.mark},
	}
	for _, t := range r.facts.Tablespaces {
		if !t.InPlace {
			i.Tablespaces = append(i.Tablespaces, backupinfo.Tablespace{Name: t.Name, OID: t.OID, Location: t.Location})
		}
	}
	if r.copied > 0 {
		i.Stats = &backupinfo.CopyStats{Total: r.copied, Workers: r.Jobs}
	}
	return i
}

// record replaces the record in staging.
func (r *run) record(ctx context.Context, status, failure string) error {
	body, err := backupinfo.Render(r.info(status, failure))
	if err != nil {
		return err
	}
	if _, err := r.Staging.Put(ctx, layout.BackupInfo(r.Server, r.id), body); err != nil {
		return fmt.Errorf("record %s in staging: %w", status, err)
	}
	return nil
}

// recordFailure writes FAILED with the first line of the reason, also when ctx
// was cancelled.
func (r *run) recordFailure(ctx context.Context, cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	text := firstLine(cause.Error())
	if r.uploading {
		text = "failure uploading data (" + text + ")" // barman 3.17
	}
	if err := r.record(ctx, backupinfo.Failed, text); err != nil {
		r.Log.Error("the failure could not be recorded; in staging the backup still looks started", "backup_id", r.id, "error", err)
	}
}

// firstLine is what fits on a line of backup.info.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	return strings.TrimSpace(s)
}
