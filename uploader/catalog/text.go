package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/finalizer"
)

const maxText = 400

// printable makes one line for a terminal of a text that a host or a store wrote: no control or escape sequences, no
// invisible or direction-changing characters, not endless.
func printable(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxText {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func printableReasons(list []Reason) []Reason {
	var out []Reason
	for _, r := range list {
		out = append(out, Reason{Code: printable(r.Code), Object: printable(r.Object), Text: printable(r.Text), Finding: finalizer.Finding(printable(string(r.Finding)))})
	}
	return out
}

func reason(code, object, text string) Reason {
	return Reason{Code: code, Object: printable(object), Text: printable(text)}
}
