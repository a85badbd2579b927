package catalog

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
)

// Width is how many columns the table and the paragraphs take; commands, which are to be copied, may be longer.
const Width = 100

// The widths of the table's columns.
var widths = []int{15, 10, 16, 8, 10} // then two blanks each, and the rest for what there is to say

// Write writes the catalogue for people: a header, a table, and a paragraph for each backup that somebody should look
// at.
func (c *Catalog) Write(w io.Writer) error {
	var b strings.Builder
	c.writeHeader(&b)
	if len(c.Backups) == 0 {
		fmt.Fprintf(&b, "\nNo backup of this server is there.\n")
	} else {
		b.WriteString("\n")
		writeRow(&b, "BACKUP", "STATE", "ENDED (UTC)", "SIZE", "LOCKED TO", "")
		for n := range c.Backups {
			c.Backups[n].writeRow(&b, c.At)
		}
	}
	for n := range c.Backups {
		if c.Backups[n].NeedsAttention() {
			c.Backups[n].writeParagraph(&b, c.At)
		}
	}
	for _, note := range c.Notes {
		b.WriteString("\n")
		paragraph(&b, "Note: "+note, "")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Catalog) writeHeader(b *strings.Builder) {
	head := fmt.Sprintf("Server %s in %s", c.Server, c.Vault)
	if c.Staging != "" {
		head += ", staging " + c.Staging
	}
	paragraph(b, head, "")
	seal, wal, window := "none", "none", "nothing"
	if c.Newest != nil {
		seal = fmt.Sprintf("%s, %s ago", c.Newest.BackupID, Ago(c.At.Sub(c.Newest.Time)))
	}
	if c.WAL != nil {
		wal = fmt.Sprintf("%s, %s ago", c.WAL.Segment, Ago(c.At.Sub(c.WAL.Time)))
	}
	if c.Window != nil {
		window = fmt.Sprintf("from %s to %s UTC", Minute(c.Window.From), Minute(*c.Window.To))
	}
	fmt.Fprintf(b, "Newest seal: %s. Newest WAL: %s.\nRestorable: %s.\n", seal, wal, window)
	if d := c.Drill; d != nil {
		fmt.Fprintf(b, "Newest drill that passed: %s, %s ago.\n", d.BackupID, Ago(c.At.Sub(d.Time)))
	}
}

func writeRow(b *strings.Builder, cells ...string) {
	line := ""
	for n, width := range widths {
		cell := cut(cells[n], width)
		line += cell + strings.Repeat(" ", width-columns(cell)+2)
	}
	line += cut(cells[len(widths)], Width-columns(line))
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

func (b *Backup) writeRow(w *strings.Builder, now time.Time) {
	ended, size, locked := "", "", ""
	if b.End != nil {
		ended = Minute(*b.End)
	}
	switch {
	case b.Bytes > 0:
		size = Size(b.Bytes)
	case b.Progress != nil && b.Progress.Stored > 0:
		size = Size(b.Progress.Stored)
	}
	if b.LockedUntil != nil {
		locked = b.LockedUntil.Format("2006-01-02")
	}
	writeRow(w, b.ID, string(b.State), ended, size, locked, b.detail(now))
}

// detail is what the last column says.
func (b *Backup) detail(now time.Time) string {
	var say []string
	switch b.State {
	case Running:
		say = b.running(now)
	case Sealed:
		say = b.sealed()
	case Complete:
		say = append(say, "no verdict for "+Ago(now.Sub(*b.Since)))
	case Waiting:
		say = append(say, "for WAL")
		if b.Deadline != nil {
			say = append(say, "until "+Minute(*b.Deadline))
		}
	case Rejected, Conflict, Failed:
		say = append(say, b.why())
	case Unsealed:
		say = append(say, "a manifest, and no seal")
	case Leftovers:
		say = append(say, "neither manifest nor seal")
	case Tampered:
		say = append(say, "its seal is gone")
	case Unreadable:
		say = append(say, "see below")
	case Abandoned:
		if b.Progress != nil {
			say = append(say, "silent for "+Ago(now.Sub(b.Progress.Heartbeat)))
		}
	case Foreign:
		say = append(say, "not pgseal's: "+b.Status)
	case Deleted:
		say = append(say, "nothing in the vault")
	}
	if b.Name != "" {
		say = append(say, b.Name)
	}
	return strings.Join(say, ", ")
}

// why is the class, and the first reason as far as there is room.
func (b *Backup) why() string {
	switch {
	case len(b.Reasons) == 0:
		return b.Class
	case b.Class == "":
		return b.Reasons[0].Text
	}
	return b.Class + ": " + b.Reasons[0].Text
}

func (b *Backup) running(now time.Time) (say []string) {
	p := b.Progress
	if p == nil {
		return []string{"just begun"}
	}
	if p.Total > 0 {
		say = append(say, fmt.Sprintf("%d %%", min(100, int64(float64(p.Bytes)/float64(p.Total)*100))))
	}
	if p.Rate > 0 {
		say = append(say, Size(p.Rate)+"/s")
	}
	if b.Begin != nil {
		say = append(say, Ago(now.Sub(*b.Begin)))
	}
	return say
}

func (b *Backup) sealed() (say []string) {
	for _, kind := range []finalizer.Finding{finalizer.Tampered, finalizer.Damaged} {
		if slices.ContainsFunc(b.Findings, func(r Reason) bool { return r.Finding == kind }) {
			say = append(say, string(kind))
			break
		}
	}
	if n := len(b.Findings); n == 1 {
		say = append(say, "1 finding")
	} else if n > 1 {
		say = append(say, fmt.Sprintf("%d findings", n))
	}
	if b.Drill.failed() {
		say = append(say, "drill failed")
	}
	if b.Window != nil && b.Window.Gap != "" {
		say = append(say, "WAL gap")
	}
	if b.WALChecked != nil && !*b.WALChecked {
		say = append(say, "WAL not checked")
	}
	if len(say) == 0 {
		say = append(say, "WAL checked")
	}
	if b.Drill != nil && !b.Drill.failed() {
		say = append(say, "drilled "+b.Drill.Time.Format("2006-01-02"))
	}
	return say
}
