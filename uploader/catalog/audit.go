package catalog

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgseal/pgseal/core/audit"
)

// WriteAudit writes what an audit found for people, in lines of at most Width columns: a header, and a paragraph for
// each problem, the worst and the newest first.
func WriteAudit(w io.Writer, r *audit.Report) error {
	var b strings.Builder
	paragraph(&b, fmt.Sprintf("Server %s in %s", r.Server, r.Vault), "")
	fmt.Fprintf(&b, "Backups: %d, of which %d are sealed by pgseal and %d complete by another program's word.\n", r.Backups, r.Sealed, r.Stock)
	critical := 0
	for _, p := range r.Problems {
		if p.Severity == audit.Critical {
			critical++
		}
	}
	if len(r.Problems) == 0 {
		b.WriteString("Nothing is wrong.\n")
	} else {
		fmt.Fprintf(&b, "Problems: %d critical, %d warnings.\n", critical, len(r.Problems)-critical)
	}
	for _, p := range r.Problems {
		head := strings.ToUpper(string(p.Severity)) + " " + p.Code
		if p.Finding != "" {
			head += " (" + string(p.Finding) + ")"
		}
		if p.BackupID != "" {
			head += ", " + p.BackupID
		}
		if p.Also > 0 {
			head += fmt.Sprintf(" and %d more", p.Also)
		}
		b.WriteString("\n")
		paragraph(&b, head, "")
		if p.Object != "" {
			paragraph(&b, Printable(p.Object), "  ")
		}
		paragraph(&b, Printable(p.Text), "  ")
	}
	for _, note := range r.Notes {
		b.WriteString("\n")
		paragraph(&b, "Note: "+Printable(note), "")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
