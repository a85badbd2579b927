package report

import (
	"strconv"
	"time"
)

// axis lays moments out from left to right.
type axis struct {
	from, to    time.Time
	left, right float64
}

// at is the place of a moment; what lies outside stands at the edge.
func (a axis) at(t time.Time) float64 {
	span := a.to.Sub(a.from)
	x := a.left + (a.right-a.left)*(float64(t.Sub(a.from))/float64(span))
	return min(max(x, a.left), a.right)
}

// tick is one mark of an axis.
type tick struct{ X, Label string }

// step is a distance between ticks and how they are labelled.
type step struct {
	every  time.Duration
	months int // instead
	format string
	width  float64 // of a label, generously, at the font size of the axis
}

const day = 24 * time.Hour

var steps = []step{
	{every: time.Minute, format: "15:04", width: 44}, {every: 5 * time.Minute, format: "15:04", width: 44}, {every: 15 * time.Minute, format: "15:04", width: 44},
	{every: time.Hour, format: "01-02 15:04", width: 84}, {every: 3 * time.Hour, format: "01-02 15:04", width: 84}, {every: 6 * time.Hour, format: "01-02 15:04", width: 84},
	{every: 12 * time.Hour, format: "01-02 15:04", width: 84},
	{every: day, format: "2006-01-02", width: 70}, {every: 2 * day, format: "2006-01-02", width: 70}, {every: 4 * day, format: "2006-01-02", width: 70}, {every: 7 * day, format: "2006-01-02", width: 70},
	{every: 14 * day, format: "2006-01-02", width: 70},
	{months: 1, format: "2006-01", width: 62}, {months: 3, format: "2006-01", width: 62}, {months: 6, format: "2006-01", width: 62},
	{months: 12, format: "2006", width: 44}, {months: 24, format: "2006", width: 44}, {months: 60, format: "2006", width: 44},
	{months: 120, format: "2006", width: 44}, {months: 1200, format: "2006", width: 44},
}

// ticks are round moments, as many as fit without their labels touching each other or the edges.
func (a axis) ticks() []tick {
	for _, s := range steps {
		if room := (a.right - a.left) / (s.width + 8); a.count(s) > room {
			continue
		}
		var list []tick
		for t := s.first(a.from); !t.After(a.to); t = s.next(t) {
			if x := a.at(t); x-s.width/2 >= a.left && x+s.width/2 <= a.right {
				list = append(list, tick{num(x), t.Format(s.format)})
			}
		}
		return list
	}
	return nil
}

// count is about how many ticks a step makes.
func (a axis) count(s step) float64 {
	every := s.every
	if s.months > 0 {
		every = time.Duration(s.months) * 30 * day
	}
	return float64(a.to.Sub(a.from)) / float64(every)
}

func (s step) first(from time.Time) time.Time {
	from = from.UTC()
	if s.months == 0 {
		return from.Add(s.every - 1).Truncate(s.every)
	}
	months := (from.Year()*12 + int(from.Month()) - 1 + s.months - 1) / s.months * s.months
	t := time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
	if t.Before(from) {
		t = s.next(t)
	}
	return t
}

func (s step) next(t time.Time) time.Time {
	if s.months == 0 {
		return t.Add(s.every)
	}
	return t.AddDate(0, s.months, 0)
}

// num writes a coordinate, the same on every machine.
func num(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }
