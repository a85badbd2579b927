package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/finalizer"
)

const maxText = 400

// Printable makes one line for a terminal of a text that a host or a store wrote: no control or escape sequences, no
// invisible or direction-changing characters, not endless.
func Printable(s string) string { return Clean(s, maxText) }

// Clean is Printable with another limit.
func Clean(s string, limit int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
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
		out = append(out, Reason{Code: Printable(r.Code), Object: Printable(r.Object), Text: Printable(r.Text), Finding: finalizer.Finding(Printable(string(r.Finding)))})
	}
	return out
}

func reason(code, object, text string) Reason {
	return Reason{Code: code, Object: Printable(object), Text: Printable(text)}
}
