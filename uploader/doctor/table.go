package doctor

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgseal/pgseal/uploader/catalog"
)

// The widths of the table's first two columns, two blanks each after them.
const (
	checkWidth = 18
	stateWidth = 8
	indent     = checkWidth + 2 + stateWidth + 2
)

// Write writes the report for people, in lines of at most catalog.Width columns:
// a header, a row for each check, and a last line that counts.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, line := range catalog.Wrap(fmt.Sprintf("Server %s in %s, staging %s", r.Server, r.Vault, r.Staging), catalog.Width) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	row(&b, "CHECK", "STATE", "")
	count := map[State]int{}
	for _, l := range r.Lines {
		count[l.State]++
		state := string(l.State)
		if l.State == Warning || l.State == Critical {
			state = strings.ToUpper(state)
		}
		row(&b, l.Check, state, l.Text)
		if l.Next != "" {
			row(&b, "", "", "next: "+l.Next)
		}
	}
	switch {
	case count[Critical]+count[Warning] > 0:
		fmt.Fprintf(&b, "\nProblems: %d critical, %d warnings.", count[Critical], count[Warning])
	default:
		b.WriteString("\nNothing is wrong.")
	}
	if n := count[Unseen]; n > 0 {
		fmt.Fprintf(&b, " Not seen: %d.", n)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// row writes a check; what does not fit goes on below its beginning.
func row(b *strings.Builder, check, state, text string) {
	line := fmt.Sprintf("%-*s  %-*s  ", checkWidth, check, stateWidth, state)
	for n, part := range catalog.Wrap(text, catalog.Width-indent) {
		if n > 0 {
			line = strings.Repeat(" ", indent)
		}
		b.WriteString(strings.TrimRight(line+part, " ") + "\n")
	}
	if text == "" {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
