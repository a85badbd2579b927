package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// A chart is drawn for two widths, and the style sheet shows the one that fits: a drawing that is only scaled down is not
// readable on a telephone.
type chart struct {
	Class         string // wide or narrow
	Width, Height string
	Ticks         []tick
	TickY, AxisY  string // of the labels, of the lines' end
	Top           string
	NowX          string
	Rows          []row
	Summary       string // for those who do not see it
}

// row is one lane of the chart.
type row struct {
	Label, Sub     string
	LabelX, LabelY string
	SubX, SubY     string
	Y, Height      string // of its background
	X, Width       string
	Odd            bool
	Marks          []mark
	Bars           []bar
}

// mark is one backup, or several that would stand on each other.
type mark struct {
	X, Y   string // the glyph's corner
	Ref    string
	Group  string
	Title  string
	Count  string // "×12"; empty: one
	CountX string
	CountY string
}

// bar is a stretch of time.
type bar struct{ X, Y, Width, Height, Class, Title string }

// Sizes, in the units of the drawing.
const (
	wideChart, narrowChart = 880, 358

	labels     = 172 // the column of labels of the wide one
	laneHigh   = 36
	labelHigh  = 20 // the narrow one has its labels above the lanes
	glyphSize  = 16
	cell       = 32 // in which several backups become one mark
	oldestWAL  = 6  // timelines shown
	maxListed  = 8  // ids named in a tooltip
	shortest   = 10 * time.Minute
	atLeastBar = 4
	maxYears   = 20
)

// lanes of the backups, by the states in them.
var lanes = []struct {
	label  string
	groups []string
}{
	{"Sealed", []string{"good", flawed}},
	{"In progress", []string{"busy"}},
	{"Not sealed", []string{"bad", "warn"}},
	{"Other", []string{"other"}},
}

// laneOf: a sealed backup stays in its lane whatever an audit found.
func laneOf(g *glyph) string {
	for _, l := range lanes {
		if slices.Contains(l.groups, g.Name) || g.Name != flawed && slices.Contains(l.groups, g.Group) {
			return l.label
		}
	}
	return ""
}

// moment is when a backup ended, else when it began.
func moment(b *catalog.Backup) time.Time {
	switch {
	case b.End != nil:
		return *b.End
	case b.Begin != nil:
		return *b.Begin
	}
	t, _ := layout.ParseBackupID(b.ID)
	return t
}

// span is what the chart shows. Only what is sealed or archived, and so was looked at, decides how far back it goes, with
// a margin for what came just before: a forged id must not press everything else together.
func span(s Server, now time.Time) (from, to time.Time) {
	from = now
	known, other := false, now
	for n := range s.Catalog.Backups {
		b := &s.Catalog.Backups[n]
		t := moment(b)
		if b.State != catalog.Sealed && b.State != catalog.Foreign {
			if t.Before(other) {
				other = t
			}
			continue
		}
		known = true
		if t.Before(from) {
			from = t
		}
	}
	if s.Audit != nil {
		for _, t := range s.Audit.WAL {
			for _, w := range t.Stretches {
				if w.From != nil && w.From.Before(from) {
					known, from = true, *w.From
				}
			}
		}
	}
	if oldest := now.AddDate(-maxYears, 0, 0); from.Before(oldest) { // by another program's word
		from = oldest
	}
	switch margin := max(now.Sub(from)/4, 7*day); {
	case !known:
		from = other
		if oldest := now.Add(-365 * day); from.Before(oldest) {
			from = oldest
		}
	case other.Before(from) && from.Sub(other) <= margin:
		from = other
	}
	if now.Sub(from) < shortest {
		from = now.Add(-shortest)
	}
	return from, now
}

// newChart draws what happened to a server over time.
func newChart(s Server, now time.Time, width float64) chart {
	wide := width == wideChart
	a := axis{left: 12, right: width - 12}
	a.from, a.to = span(s, now)
	if wide {
		a.left = labels + 12
	}
	c := chart{Class: "narrow", Width: num(width), NowX: num(a.right), Top: "18"}
	if wide {
		c.Class = "wide"
	}
	y := 22.0
	add := func(label, sub string, fill func(r *row, middle float64)) {
		r := row{Label: label, Sub: sub, Odd: len(c.Rows)%2 == 1, X: "0", Width: num(width), Y: num(y)}
		high := float64(laneHigh)
		top := y
		if wide {
			r.LabelX, r.LabelY = "8", num(y+22)
			if sub != "" {
				r.LabelY, r.SubX, r.SubY = num(y+16), "8", num(y+30)
			}
		} else {
			r.LabelX, r.LabelY = "8", num(y+15)
			r.SubX, r.SubY = num(a.right-8), num(y+15)
			high, top = high+labelHigh, y+labelHigh
		}
		r.Height = num(high)
		fill(&r, top+laneHigh/2)
		c.Rows = append(c.Rows, r)
		y += high
	}
	for _, lane := range lanes {
		in := inLane(s.Catalog.Backups, lane.label)
		if len(in) == 0 && lane.label != "Sealed" {
			continue
		}
		add(lane.label, count(len(in), "backup"), func(r *row, middle float64) { r.Marks = marks(a, in, middle) })
	}
	if in := drills(s.Catalog.Backups); len(in) > 0 {
		add("Drills", "the last of "+count(len(in), "backup"), func(r *row, middle float64) { r.Marks = marks(a, in, middle) })
	}
	if bars := windows(a, s.Catalog.Backups); len(bars) > 0 {
		add("Restorable", "to any moment in it", func(r *row, middle float64) { r.Bars = place(bars, middle) })
	}
	if s.Audit != nil {
		w := s.Audit.WAL
		slices.SortFunc(w[:len(w):len(w)], func(a, b audit.Timeline) int { return cmp.Compare(a.Timeline, b.Timeline) })
		for _, t := range w[max(0, len(w)-oldestWAL):] {
			sub := "no hole"
			if n := len(t.Holes); n > 0 {
				sub = count(n, "hole")
			}
			add(fmt.Sprintf("WAL timeline %d", t.Timeline), sub, func(r *row, middle float64) { r.Bars = place(archived(a, t), middle) })
		}
	}
	c.AxisY, c.TickY, c.Height = num(y+5), num(y+19), num(y+26)
	c.Ticks = a.ticks()
	c.Summary = fmt.Sprintf("From %s to %s UTC: %s", catalog.Minute(a.from), catalog.Minute(a.to), summary(c.Rows))
	return c
}

// event is something that happened at a moment.
type event struct {
	at    time.Time
	g     *glyph
	id    string // of the backup
	title string
}

func inLane(backups []catalog.Backup, label string) (in []event) {
	for n := range backups {
		if b := &backups[n]; laneOf(glyphOf(b)) == label {
			in = append(in, event{moment(b), glyphOf(b), b.ID, title(b)})
		}
	}
	slices.SortStableFunc(in, func(a, b event) int { return a.at.Compare(b.at) })
	return in
}

// drills are the last ones of each backup.
func drills(backups []catalog.Backup) (in []event) {
	for n := range backups {
		b := &backups[n]
		if b.Drill == nil {
			continue
		}
		text := "drill of " + b.ID + " " + string(b.Drill.Outcome)
		if b.Drill.Host != "" {
			text += " on " + b.Drill.Host
		}
		text += ", " + catalog.Minute(b.Drill.Time) + " UTC"
		if b.Drill.Reason != "" {
			text += ", at the step " + b.Drill.Step + ": " + b.Drill.Reason
		}
		in = append(in, event{b.Drill.Time, drillGlyph(b.Drill), b.ID, text})
	}
	slices.SortStableFunc(in, func(a, b event) int { return a.at.Compare(b.at) })
	return in
}

// marks puts each event in its place; where they would stand on each other, one mark stands for all in its cell.
func marks(a axis, in []event, middle float64) (list []mark) {
	crowded := false
	for n := 1; n < len(in); n++ {
		crowded = crowded || a.at(in[n].at)-a.at(in[n-1].at) < glyphSize+1
	}
	if !crowded {
		for _, e := range in {
			list = append(list, several([]event{e}, a.at(e.at), middle))
		}
		return list
	}
	cells := max(1, int((a.right-a.left)/cell))
	width := (a.right - a.left) / float64(cells)
	cellOf := func(e event) int { return min(cells-1, int((a.at(e.at)-a.left)/width)) }
	for n := 0; n < len(in); {
		k, end := cellOf(in[n]), n
		for end < len(in) && cellOf(in[end]) == k {
			end++
		}
		list = append(list, several(in[n:end], a.left+(float64(k)+0.5)*width, middle))
		n = end
	}
	return list
}

// several is one mark for events that stand close together: the worst of them, and how many there are.
func several(in []event, x, middle float64) mark {
	worst := in[0].g
	for _, e := range in {
		if e.g.rank > worst.rank {
			worst = e.g
		}
	}
	m := mark{X: num(x - glyphSize/2), Y: num(middle - glyphSize/2), Ref: worst.Ref(), Group: worst.Group, Title: in[0].title}
	if len(in) == 1 {
		return m
	}
	m.Y, m.Count, m.CountX, m.CountY = num(middle-glyphSize/2-5), fmt.Sprintf("×%d", len(in)), num(x), num(middle+15)
	counts := map[string]int{}
	for _, e := range in {
		counts[e.g.Name]++
	}
	var say []string
	for _, g := range glyphs {
		if counts[g.Name] > 0 {
			say = append(say, fmt.Sprintf("%d %s", counts[g.Name], g.Name))
		}
	}
	var ids []string
	for _, e := range in[:min(len(in), maxListed)] {
		ids = append(ids, e.id)
	}
	if more := len(in) - maxListed; more > 0 {
		ids = append(ids, fmt.Sprintf("and %d more", more))
	}
	m.Title = strings.Join(say, ", ") + ": " + strings.Join(ids, ", ")
	return m
}

// title is what the mark of one backup says when it is pointed at.
func title(b *catalog.Backup) string {
	say := []string{b.ID + " " + glyphOf(b).Name}
	if b.Name != "" {
		say = append(say, b.Name)
	}
	if b.End != nil {
		say = append(say, "ended "+catalog.Minute(*b.End)+" UTC")
	}
	if b.Bytes > 0 {
		say = append(say, catalog.Size(b.Bytes))
	}
	if b.LockedUntil != nil {
		say = append(say, "locked until "+catalog.Minute(*b.LockedUntil)+" UTC")
	}
	if len(b.Reasons) > 0 {
		say = append(say, b.Reasons[0].Text)
	}
	if len(b.Findings) > 0 {
		say = append(say, b.Findings[0].Text)
	}
	return strings.Join(say, ", ")
}

// stretch is a part of the axis with something to say.
type stretch struct {
	from, to     float64
	class, title string
}

// place makes bars of stretches.
func place(list []stretch, middle float64) (bars []bar) {
	for _, s := range list {
		high := 10.0
		if s.class == "hole" {
			high = 18
		}
		bars = append(bars, bar{X: num(s.from), Y: num(middle - high/2), Width: num(max(atLeastBar, s.to-s.from)), Height: num(high), Class: s.class, Title: s.title})
	}
	return bars
}

// windows are the times to which a restore can go, joined.
func windows(a axis, backups []catalog.Backup) (list []stretch) {
	var from, to time.Time
	flush := func() {
		if !to.IsZero() {
			list = append(list, stretch{a.at(from), a.at(to), "window", fmt.Sprintf("restorable to any moment from %s to %s UTC", catalog.Minute(from), catalog.Minute(to))})
		}
	}
	for n := len(backups) - 1; n >= 0; n-- { // oldest first
		w := backups[n].Window
		if w == nil || w.To == nil || w.To.Before(w.From) {
			continue
		}
		if to.IsZero() || w.From.After(to) {
			flush()
			from, to = w.From, *w.To
		} else if w.To.After(to) {
			to = *w.To
		}
	}
	flush()
	return list
}

// archived is the WAL of one timeline. The times are the store's.
func archived(a axis, t audit.Timeline) (list []stretch) {
	for _, s := range t.Stretches {
		if s.From == nil || s.To == nil {
			continue
		}
		list = append(list, stretch{a.at(*s.From), a.at(*s.To), "wal", fmt.Sprintf("%s from %s to %s, archived from %s to %s UTC",
			count(int(s.Segments), "segment"), s.First, s.Last, catalog.Minute(*s.From), catalog.Minute(*s.To))})
	}
	for _, h := range t.Holes {
		from, to := a.left, a.right
		if h.From != nil {
			from = a.at(*h.From)
		}
		if h.To != nil {
			to = a.at(*h.To)
		}
		switch {
		case h.From == nil && h.To != nil:
			from = to
		case h.To == nil && h.From != nil:
			to = from
		}
		const least = 10.0
		if to-from < least {
			middle := (from + to) / 2
			from, to = middle-least/2, middle+least/2
		}
		list = append(list, stretch{from, to, "hole", holeText(h)})
	}
	return list
}

func holeText(h audit.Stretch) string {
	which := h.First
	if h.Last != h.First {
		which += " to " + h.Last
	}
	return fmt.Sprintf("missing: %s, %s", count(int(h.Segments), "segment"), which)
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func summary(rows []row) string {
	var say []string
	for _, r := range rows {
		say = append(say, r.Label+": "+r.Sub)
	}
	return strings.Join(say, "; ") + "."
}
