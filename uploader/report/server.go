package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// Limits of what one page shows of one server; "pgseal status" and "pgseal audit" have all.
const (
	maxAttention = 50
	maxProblems  = 200
	maxRecent    = 60 // backups in the table that is open
)

// serverView is one server's part of the page.
type serverView struct {
	Name     string
	Headline headline
	Tiles    []tile
	Err      string // nothing could be read

	Charts   []chart
	Trends   []trend
	Calendar calendar

	Holes []holeRow
	NoWAL bool // the audit listed none

	Attention     []attention
	Overtaken     []attention // before the newest seal
	MoreAttention int
	States        []legend
	Problems      []problem
	MoreProblems  int
	Notes         []string

	Recent, Older []backupRow
}

// headline is the state of a server in a word and some sentences.
type headline struct {
	Level string // ok, warning, critical or unknown
	Word  string
	Says  []string
}

// tile is one figure.
type tile struct {
	Label, Value string
	Subs         []string
}

// attention is a backup that somebody should look at.
type attention struct {
	Ref, Group, Border, Head string
	Lines                    []string
	Next                     string
}

// problem is what the audit found.
type problem struct{ Level, Severity, Code, Backup, Object, Text string }

// holeRow is a hole in the WAL.
type holeRow struct{ Timeline, First, Last, Segments, Between, Backups string }

// backupRow is one line of the table of all backups.
type backupRow struct{ ID, Name, Ref, Group, State, Ended, Duration, Size, Locked, Restorable, Drilled string }

func newServerView(s Server, r Report) serverView {
	v := serverView{Name: s.Name}
	if s.Catalog == nil {
		v.Err = catalog.Printable(s.Err.Error())
		v.Headline = headline{"unknown", "Could not be read", []string{v.Err}}
		return v
	}
	c := s.Catalog
	v.Headline = newHeadline(s, r.MaxAge)
	v.Tiles = tiles(s)
	if len(c.Backups) > 0 {
		v.Charts = []chart{newChart(s, c.At, wideChart), newChart(s, c.At, narrowChart)}
		a := axis{}
		a.from, a.to = span(s, c.At)
		v.Trends = trends(c, a)
	}
	v.Calendar = newCalendar(c)
	v.wal(s)
	v.backups(c)
	v.Notes = c.Notes
	if s.Audit == nil {
		v.Notes = append(v.Notes[:len(v.Notes):len(v.Notes)], catalog.Printable(fmt.Sprintf("the audit could not look: %v", s.AuditErr)))
		return v
	}
	for _, note := range s.Audit.Notes {
		v.Notes = append(v.Notes[:len(v.Notes):len(v.Notes)], catalog.Printable(note))
	}
	v.problems(s.Audit)
	return v
}

// newHeadline is the worse of what "pgseal status --check" and "pgseal audit" would say.
func newHeadline(s Server, maxAge time.Duration) headline {
	c := s.Catalog
	severity, _ := c.Check(maxAge, 0, 0)
	switch {
	case s.Audit == nil:
		severity = max(severity, catalog.Warning)
	case s.Audit.Worst() == audit.Critical:
		severity = catalog.Critical
	case s.Audit.Worst() == audit.Warning:
		severity = max(severity, catalog.Warning)
	}
	h := headline{"ok", "Protected", nil}
	switch severity {
	case catalog.Warning:
		h.Level, h.Word = "warning", "Needs attention"
	case catalog.Critical:
		h.Level, h.Word = "critical", "Critical"
	}
	if c.Newest == nil {
		h.Word = "No sealed backup"
		h.Says = append(h.Says, "No backup of this server is sealed.")
	} else {
		h.Says = append(h.Says, protection(c, maxAge)...)
	}
	n := 0
	for i := range c.Backups {
		if c.Severity(&c.Backups[i]) > catalog.OK {
			n++
		}
	}
	var open []string
	if n > 0 {
		open = append(open, "backups that need attention: "+fmt.Sprint(n))
	}
	if s.Audit != nil && len(s.Audit.Problems) > 0 {
		open = append(open, fmt.Sprintf("findings of the audit: %d, of which critical: %d", len(s.Audit.Problems), criticals(s.Audit)))
	}
	switch {
	case len(open) > 0:
		say := strings.Join(open, "; ") + "."
		h.Says = append(h.Says, strings.ToUpper(say[:1])+say[1:])
	case s.Audit != nil:
		h.Says = append(h.Says, "The audit found nothing wrong.")
	}
	return h
}

// protection says what the sealed backups are good for.
func protection(c *catalog.Catalog, maxAge time.Duration) (says []string) {
	if maxAge > 0 && c.At.Sub(c.Newest.Time) > maxAge {
		says = append(says, fmt.Sprintf("The newest sealed backup is older than %s.", catalog.Ago(maxAge)))
	}
	if w := c.Window; w != nil {
		says = append(says, fmt.Sprintf("A restore can go to any moment from %s to %s UTC.", catalog.Minute(w.From), catalog.Minute(*w.To)))
	} else {
		says = append(says, "A restore can go to the end of a sealed backup, and no further: no WAL follows one without a gap.")
	}
	if until := lockOfNewest(c); until != "" {
		says = append(says, until)
	}
	return says
}

// lockOfNewest says how long the newest sealed backup is protected.
func lockOfNewest(c *catalog.Catalog) string {
	for n := range c.Backups {
		b := &c.Backups[n]
		switch {
		case b.ID != c.Newest.BackupID:
		case b.LockedUntil == nil:
			return "No lock of the newest sealed backup is seen."
		case b.LockedUntil.Before(c.At):
			return fmt.Sprintf("The lock of the newest sealed backup ended at %s UTC.", catalog.Minute(*b.LockedUntil))
		default:
			return fmt.Sprintf("The newest sealed backup is locked until %s UTC.", catalog.Minute(*b.LockedUntil))
		}
	}
	return ""
}

func criticals(r *audit.Report) (n int) {
	for _, p := range r.Problems {
		if p.Severity == audit.Critical {
			n++
		}
	}
	return n
}

func tiles(s Server) []tile {
	c := s.Catalog
	seal, wal, window := tile{"Newest sealed backup", "none", nil}, tile{"Newest WAL", "none", nil}, tile{"Restorable", "no span of time", []string{"no WAL follows a sealed backup"}}
	if c.Newest != nil {
		seal.Value, seal.Subs = catalog.Ago(c.At.Sub(c.Newest.Time))+" ago", []string{c.Newest.BackupID}
	}
	if c.WAL != nil {
		wal.Value, wal.Subs = catalog.Ago(c.At.Sub(c.WAL.Time))+" ago", []string{c.WAL.Segment}
	}
	if w := c.Window; w != nil {
		window.Value, window.Subs = catalog.Ago(w.To.Sub(w.From)), []string{"from " + catalog.Minute(w.From), "to " + catalog.Minute(*w.To)}
	}
	sealed, all, bytes := 0, 0, int64(0)
	for n := range c.Backups {
		b := &c.Backups[n]
		if b.State != catalog.Deleted {
			all, bytes = all+1, bytes+b.Bytes
		}
		if b.State == catalog.Sealed {
			sealed++
		}
	}
	backups := tile{"Backups", fmt.Sprintf("%d sealed", sealed), []string{fmt.Sprintf("of %d, %s", all, catalog.Size(bytes))}}
	found := tile{"Audit", "could not look", []string{"see the notes"}}
	if s.Audit != nil {
		critical := criticals(s.Audit)
		found = tile{"Audit", count(len(s.Audit.Problems), "finding"), []string{fmt.Sprintf("%d critical, %s", critical, count(len(s.Audit.Problems)-critical, "warning"))}}
	}
	drill := tile{"Newest good drill", "none", nil}
	if c.Drill != nil {
		drill.Value, drill.Subs = catalog.Ago(c.At.Sub(c.Drill.Time))+" ago", []string{c.Drill.BackupID}
	}
	return []tile{seal, window, wal, backups, found, drill}
}

func (v *serverView) wal(s Server) {
	if s.Audit == nil {
		v.NoWAL = true
		return
	}
	v.NoWAL = len(s.Audit.WAL) == 0
	for _, t := range s.Audit.WAL {
		for _, h := range t.Holes {
			between := "?"
			switch {
			case h.From != nil && h.To != nil:
				between = catalog.Minute(*h.From) + " to " + catalog.Minute(*h.To)
			case h.From != nil:
				between = "after " + catalog.Minute(*h.From)
			case h.To != nil:
				between = "before " + catalog.Minute(*h.To)
			}
			v.Holes = append(v.Holes, holeRow{fmt.Sprint(t.Timeline), h.First, h.Last, fmt.Sprint(h.Segments), between, fmt.Sprint(h.Backups)})
		}
	}
}

func (v *serverView) backups(c *catalog.Catalog) {
	shown := map[string]bool{}
	for n := range c.Backups {
		b := &c.Backups[n]
		g := glyphOf(b)
		shown[g.Name] = true
		if b.Drill != nil {
			shown[drillGlyph(b.Drill).Name] = true
		}
		line := newRow(b, g)
		if len(v.Recent) < maxRecent {
			v.Recent = append(v.Recent, line)
		} else {
			v.Older = append(v.Older, line)
		}
		if !b.NeedsAttention() {
			continue
		}
		if len(v.Attention)+len(v.Overtaken) == maxAttention {
			v.MoreAttention++
			continue
		}
		head, lines := b.Explain(c.At)
		border := g.Group
		if border == "good" { // sealed, and WAL is missing after it
			border = "warn"
		}
		a := attention{g.Ref(), g.Group, border, head, lines, b.Next}
		if c.Severity(b) == catalog.OK {
			v.Overtaken = append(v.Overtaken, a)
		} else {
			v.Attention = append(v.Attention, a)
		}
	}
	v.States = legendOf(shown)
}

func newRow(b *catalog.Backup, g *glyph) backupRow {
	r := backupRow{ID: b.ID, Name: b.Name, Ref: g.Ref(), Group: g.Group, State: g.Name}
	if b.End != nil {
		r.Ended = catalog.Minute(*b.End)
		if b.Begin != nil {
			r.Duration = catalog.Ago(b.End.Sub(*b.Begin))
		}
	}
	if b.Bytes > 0 {
		r.Size = catalog.Size(b.Bytes)
	} else if b.Progress != nil {
		r.Size = catalog.Size(b.Progress.Stored)
	}
	if b.Drill != nil {
		r.Drilled = b.Drill.Time.Format(time.DateOnly) + " " + string(b.Drill.Outcome)
	}
	if b.LockedUntil != nil {
		r.Locked = catalog.Minute(*b.LockedUntil)
	}
	switch w := b.Window; {
	case w == nil:
	case w.Gap != "":
		r.Restorable = "until WAL is missing"
	case w.To != nil:
		r.Restorable = catalog.Minute(*w.To)
	}
	return r
}

func (v *serverView) problems(r *audit.Report) {
	for _, p := range r.Problems {
		if len(v.Problems) == maxProblems {
			v.MoreProblems++
			continue
		}
		row := problem{Severity: string(p.Severity), Code: catalog.Printable(p.Code), Backup: p.BackupID, Object: catalog.Printable(p.Object), Text: catalog.Printable(p.Text), Level: "warn"}
		if p.Severity == audit.Critical {
			row.Level = "bad"
		}
		if p.Finding != "" {
			row.Code += " (" + catalog.Printable(string(p.Finding)) + ")"
		}
		if p.Also > 0 {
			row.Backup += fmt.Sprintf(" and %d more", p.Also)
		}
		v.Problems = append(v.Problems, row)
	}
}

// Anchor is the id of the server's part; names are letters, digits, dots, dashes and underscores.
func (v serverView) Anchor() string { return "server-" + v.Name }

// Line is the headline for the list of servers.
func (v serverView) Line() string { return strings.Join(v.Headline.Says, " ") }
