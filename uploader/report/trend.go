package report

import (
	"fmt"
	"time"

	"github.com/pgseal/pgseal/uploader/catalog"
)

// trend is a small chart of bars over time, each the largest of the backups that ended in its part of the time.
type trend struct {
	Name, Says    string
	Width, Height string
	Left, Right   string
	Bars          []bar
	Lines         []gridLine
	Ticks         []tick
	BaseY, TickY  string
}

type gridLine struct{ Y, LabelY, Label string }

// point is one backup in a trend.
type point struct {
	at    time.Time
	id    string
	value float64
}

const (
	trendWidth, trendHigh = 400, 180
	trendLeft             = 66 // of the labels
	trendBase             = 150
	trendTop              = 14
	trendBars             = 40
)

// trends are those of size and duration.
func trends(c *catalog.Catalog, a axis) (list []trend) {
	var sizes, times []point
	for n := len(c.Backups) - 1; n >= 0; n-- {
		b := &c.Backups[n]
		if b.State != catalog.Sealed && b.State != catalog.Foreign || b.End == nil {
			continue
		}
		if b.Bytes > 0 {
			sizes = append(sizes, point{*b.End, b.ID, float64(b.Bytes)})
		}
		if b.Begin != nil && !b.End.Before(*b.Begin) {
			times = append(times, point{*b.End, b.ID, b.End.Sub(*b.Begin).Seconds()})
		}
	}
	if len(sizes) > 0 {
		list = append(list, newTrend("Size", sizes, a, func(v float64) string { return catalog.Size(int64(v)) }))
	}
	if len(times) > 0 {
		list = append(list, newTrend("Duration", times, a, func(v float64) string { return catalog.Ago(time.Duration(v) * time.Second) }))
	}
	return list
}

func newTrend(name string, points []point, a axis, say func(float64) string) trend {
	a.left, a.right = trendLeft+4, trendWidth-8
	least, most, newest := points[0], points[0], points[0]
	for _, p := range points {
		if p.value < least.value {
			least = p
		}
		if p.value > most.value {
			most = p
		}
		if !p.at.Before(newest.at) {
			newest = p
		}
	}
	t := trend{
		Name: name, Width: num(trendWidth), Height: num(trendHigh), Left: num(trendLeft), Right: num(trendWidth - 4),
		BaseY: num(trendBase), TickY: num(trendBase + 18),
		Says:  fmt.Sprintf("Newest %s, smallest %s, largest %s.", say(newest.value), say(least.value), say(most.value)),
		Ticks: a.ticks(),
	}
	top := max(most.value, 1)
	y := func(v float64) float64 { return trendBase - (trendBase-trendTop)*v/top }
	for _, v := range []float64{top, top / 2, 0} {
		t.Lines = append(t.Lines, gridLine{num(y(v)), num(y(v) + 4), say(v)})
	}
	t.Lines[2].Label = "0"
	width := (a.right - a.left) / trendBars
	cells := make([][]point, trendBars)
	for _, p := range points {
		k := min(trendBars-1, int((a.at(p.at)-a.left)/width))
		cells[k] = append(cells[k], p)
	}
	for k, in := range cells {
		if len(in) == 0 {
			continue
		}
		largest := in[0]
		for _, p := range in {
			if p.value > largest.value {
				largest = p
			}
		}
		text := fmt.Sprintf("%s: %s", largest.id, say(largest.value))
		if len(in) > 1 {
			text = fmt.Sprintf("the largest of %d: ", len(in)) + text
		}
		high := max(trendBase-y(largest.value), 1)
		t.Bars = append(t.Bars, bar{X: num(a.left + float64(k)*width + 1), Y: num(trendBase - high), Width: num(width - 2), Height: num(high), Class: "value", Title: text})
	}
	return t
}
