package report

import (
	"strings"

	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// glyph is how a state is drawn: a shape of its own, so that colours are never needed to tell states apart.
type glyph struct {
	Name string
	// Group is the colour: good, busy, warn, bad or other.
	Group string
	// Fill, Over and Line are SVG paths in a square from -8 to 8: a surface, what is drawn on it, and a line beside it.
	Fill, Over, Line string
	Meaning          string
	rank             int // of several in one place the highest is shown
}

const (
	disc    = "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0Z"
	square  = "M-6 -6H6V6H-6Z"
	diamond = "M0 -7L7 0L0 7L-7 0Z"
	hexagon = "M-7 0L-3.5 -6H3.5L7 0L3.5 6H-3.5Z"
)

// flawed is a sealed backup with findings, the others are drills.
const (
	flawed      = "sealed, with findings"
	drillPassed = "drill passed"
	drillFailed = "drill failed"
)

// glyphs stand in the order of the legend.
var glyphs = []glyph{
	{"sealed", "good", disc, "M-3 0L-1 2.5L3.2 -2.5", "", "complete, intact and with its WAL", 1},
	{flawed, "bad", disc, "M0 -3.4V0.8M0 2.6V3.4", "", "sealed, and an audit or a drill found something since", 10},
	{"running", "busy", "M-5 -6.5L7 0L-5 6.5Z", "", "", "being uploaded", 3},
	{"complete", "busy", "", "", "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0 -5.5 0M0 -3V0.5L2.5 2", "uploaded, no verdict yet", 3},
	{"waiting", "busy", "M-5 -6H5L-5 6H5Z", "", "", "the finalizer waits for WAL", 4},
	{"rejected", "bad", square, "M-3 -3L3 3M-3 3L3 -3", "", "will not be sealed", 8},
	{"conflict", "bad", diamond, "M-2.6 0H2.6", "", "another backup.info stands there", 9},
	{"failed", "bad", "", "", "M-5.5 -5.5L5.5 5.5M-5.5 5.5L5.5 -5.5", "the uploader gave up", 7},
	{"tampered", "bad", "M0 -7L7.5 6H-7.5Z", "M0 -2.6V2M0 3.6V4.4", "", "was sealed, and the seal is gone", 11},
	{"abandoned", "warn", "", "", "M-5.5 -5.5H5.5V5.5H-5.5ZM-2.5 2.5L2.5 -2.5", "began, and gives no sign of life", 6},
	{"unsealed", "warn", "M0 -6A6 6 0 0 1 0 6Z", "", "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0 -5.5 0", "a manifest without a seal", 6},
	{"leftovers", "warn", "M-6 -6H-1V-1H-6ZM1 1H6V6H1Z", "", "", "objects without manifest and seal", 5},
	{"unreadable", "warn", square, "M-2.4 -2.2C-2.4 -4.6 2.6 -4.6 2.6 -1.8C2.6 0 0 -0.2 0 1.6M0 3.6V4", "", "a record that decides cannot be read", 6},
	{"foreign", "other", "", "", "M0 -6.5L6.5 0L0 6.5L-6.5 0Z", "another program's backup, not pgseal's", 2},
	{"deleted", "other", "", "", "M-5 0H5", "only staging remembers it", 0},
	{drillPassed, "good", hexagon, "M-3 0L-1 2.5L3.2 -2.5", "", "it was restored, and PostgreSQL ran on it", 1},
	{drillFailed, "bad", hexagon, "M-2.5 -2.5L2.5 2.5M-2.5 2.5L2.5 -2.5", "", "it could not be brought back", 2},
}

// legend is one entry of it.
type legend struct{ Name, Group, Ref, Meaning string }

// glyphOf picks the one for a backup.
func glyphOf(b *catalog.Backup) *glyph {
	name := string(b.State)
	if b.State == catalog.Sealed && (len(b.Findings) > 0 || b.Drill != nil && b.Drill.Outcome == proof.Failed) {
		name = flawed
	}
	return glyphNamed(name)
}

func drillGlyph(d *catalog.Drill) *glyph {
	if d.Outcome == proof.Failed {
		return glyphNamed(drillFailed)
	}
	return glyphNamed(drillPassed)
}

// glyphNamed panics for a state without a glyph: a test goes through all.
func glyphNamed(name string) *glyph {
	for n := range glyphs {
		if glyphs[n].Name == name {
			return &glyphs[n]
		}
	}
	panic("no glyph for " + name)
}

// Ref is the symbol's id in the page.
func (g glyph) Ref() string {
	if g.Name == flawed {
		return "g-flawed"
	}
	return "g-" + strings.ReplaceAll(g.Name, " ", "-")
}

func legendOf(shown map[string]bool) (list []legend) {
	for _, g := range glyphs {
		if shown[g.Name] {
			list = append(list, legend{g.Name, g.Group, g.Ref(), g.Meaning})
		}
	}
	return list
}
