package catalog

import (
	"fmt"
	"strings"
	"time"
)

// maxShown bounds the reasons of one backup in a paragraph; JSON has all.
const maxShown = 3

// Explain says what is wrong with a backup: a heading, and a line for each thing that helps to decide what to do.
func (b *Backup) Explain(now time.Time) (head string, lines []string) {
	head = fmt.Sprintf("%s: %s", b.ID, b.State)
	switch b.State {
	case Sealed:
		head += ", but needs attention"
	case Unreadable:
		head += ", so how it stands cannot be told"
	case Complete:
		head += ", but cannot be judged"
	}
	if b.Class != "" {
		head += " (" + b.Class + ")"
	}
	if b.Since != nil {
		head += fmt.Sprintf(", for %s", Ago(now.Sub(*b.Since)))
	}
	if b.Deadline != nil {
		head += fmt.Sprintf("; it will be rejected at %s UTC", Minute(*b.Deadline))
	}
	reasons := append(append([]Reason{}, b.Reasons...), b.Findings...)
	for _, r := range reasons[:min(len(reasons), maxShown)] {
		lines = append(lines, reasonText("", r))
	}
	if more := len(reasons) - maxShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more, see --format json", more))
	}
	if b.Window != nil && b.Window.Gap != "" {
		lines = append(lines, fmt.Sprintf("WAL is missing from %s on, so no restore of it can go past that: look at archive_command and pg_stat_archiver, or take a new backup", b.Window.Gap))
	}
	if d := b.Drill; d.failed() {
		lines = append(lines, fmt.Sprintf("Its last drill, on %s %s ago, failed at the step %s: %s", d.Host, Ago(now.Sub(d.Time)), d.Step, d.Reason))
	}
	return head + ".", append(lines, b.facts()...)
}

// writeParagraph is Explain for a terminal, with what to do about it.
func (b *Backup) writeParagraph(w *strings.Builder, now time.Time) {
	head, lines := b.Explain(now)
	w.WriteString("\n")
	paragraph(w, head, "")
	for _, line := range lines {
		paragraph(w, line, "  ")
	}
	if b.Next != "" {
		fmt.Fprintf(w, "  next: %s\n", b.Next)
	}
}

// facts are what else helps to decide.
func (b *Backup) facts() (lines []string) {
	switch b.State {
	case Abandoned, Failed, Leftovers, Rejected:
	default:
		return nil
	}
	if p := b.Progress; p != nil && b.State == Abandoned {
		lines = append(lines, fmt.Sprintf("It ran on %s as process %d and had read %s of %s.", p.Host, p.PID, Size(p.Bytes), Size(p.Total)))
	}
	if b.Objects > 0 {
		left := fmt.Sprintf("What is in the vault (objects: %d, %s) stays", b.Objects, Size(b.Bytes))
		if b.LockedUntil != nil {
			left += " until " + Minute(*b.LockedUntil) + " UTC at least"
		} else {
			left += " until its retention ends and somebody deletes it"
		}
		lines = append(lines, left+".")
	}
	return lines
}

// paragraph writes text in lines of at most Width columns.
func paragraph(w *strings.Builder, text, indent string) {
	for _, line := range Wrap(text, Width-len(indent)) {
		w.WriteString(indent + line + "\n")
	}
}
