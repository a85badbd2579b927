package report

import (
	"fmt"
	"slices"
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
	narrowestBar          = 4
	widestBar             = 12
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
	byTime := func(a, b point) int { return a.at.Compare(b.at) }
	slices.SortStableFunc(sizes, byTime)
	slices.SortStableFunc(times, byTime)
	if len(sizes) > 0 {
		list = append(list, newTrend("Size", sizes, a, func(v float64) string { return catalog.Size(int64(v)) }))
	}
	if len(times) > 0 {
		list = append(list, newTrend("Duration", times, a, func(v float64) string { return catalog.Ago(time.Duration(v) * time.Second) }))
	}
	return list
}

func newTrend(name string, points []point, a axis, say func(float64) string) trend {
	a.left, a.right = trendLeft+widestBar, trendWidth-widestBar
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
	for _, in := range columns(a, points) {
		largest := in.points[0]
		for _, p := range in.points {
			if p.value > largest.value {
				largest = p
			}
		}
		text := fmt.Sprintf("%s: %s", largest.id, say(largest.value))
		if n := len(in.points); n > 1 {
			text = fmt.Sprintf("the largest of %d: ", n) + text
		}
		high := max(trendBase-y(largest.value), 1)
		t.Bars = append(t.Bars, bar{X: num(in.x), Y: num(trendBase - high), Width: num(in.width), Height: num(high), Class: "value", Title: text})
	}
	return t
}

// column is where a bar stands, and whose it is.
type column struct {
	x, width float64
	points   []point
}

// columns gives each backup, oldest first, a bar of its own where there is room for it; else the axis is cut into parts.
func columns(a axis, points []point) (list []column) {
	closest := float64(widestBar)
	for n := 1; n < len(points); n++ {
		closest = min(closest, a.at(points[n].at)-a.at(points[n-1].at)-1)
	}
	if closest >= narrowestBar {
		for _, p := range points {
			list = append(list, column{a.at(p.at) - closest/2, closest, []point{p}})
		}
		return list
	}
	width := (a.right - a.left) / trendBars
	last := -1
	for _, p := range points {
		if k := min(trendBars-1, int((a.at(p.at)-a.left)/width)); k > last {
			last = k
			list = append(list, column{a.left + float64(k)*width + 1, width - 2, nil})
		}
		list[len(list)-1].points = append(list[len(list)-1].points, p)
	}
	return list
}
