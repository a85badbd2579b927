package catalog

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgseal/pgseal/core/finalizer"
)

// WriteVerdict writes a verdict for people: the state, the receipt, the WAL, and everything that is wrong.
func WriteVerdict(w io.Writer, v finalizer.Verdict) error {
	var b strings.Builder
	head := fmt.Sprintf("%s of %s: %s", v.BackupID, v.Server, Printable(string(v.State)))
	if v.Class != "" {
		head += " (" + Printable(string(v.Class)) + ")"
	}
	if v.Deadline != nil {
		head += fmt.Sprintf(", will be rejected at %s UTC", Minute(*v.Deadline))
	}
	paragraph(&b, head, "")
	if r := v.Receipt; r != nil {
		line := fmt.Sprintf("%d archives, %s", r.Objects, Size(r.Bytes))
		if r.RetainUntil != nil {
			line += ", locked until " + Minute(*r.RetainUntil) + " UTC"
		} else {
			line += ", not locked"
		}
		paragraph(&b, line, "  ")
		line = Printable(r.Key)
		if r.Version != "" {
			line += ", version " + Printable(r.Version)
		}
		paragraph(&b, line+", SHA-256 "+Printable(r.SHA256), "  ")
	}
	switch {
	case v.WAL.Checked && v.WAL.Missing > 0:
		paragraph(&b, fmt.Sprintf("WAL %s to %s: %d of %d segments are missing", Printable(v.WAL.First), Printable(v.WAL.Last), v.WAL.Missing, v.WAL.Segments), "  ")
	case v.WAL.Checked:
		paragraph(&b, fmt.Sprintf("WAL %s to %s: %d segments, checked", Printable(v.WAL.First), Printable(v.WAL.Last), v.WAL.Segments), "  ")
	case v.State == finalizer.Sealed:
		paragraph(&b, "WAL was not checked", "  ")
	}
	for _, r := range printableReasons(v.Reasons) {
		paragraph(&b, reasonText("", r), "  ")
	}
	for _, r := range printableReasons(v.Findings) {
		paragraph(&b, reasonText("finding: ", r), "  ")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func reasonText(before string, r Reason) string {
	if r.Finding != "" {
		before += string(r.Finding) + ": "
	}
	if r.Object != "" {
		before += r.Object + ": "
	}
	return before + r.Text
}
