package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/uploader/catalog"
)

// calendar says what can be deleted when.
type calendar struct {
	Now    string // what no lock keeps any more
	Unseen string // of what no lock is known
	Months []month
	Later  string // what ends after the months shown
	Days   []ending
	More   string // days that are not listed
}

// month is one sheet of the calendar.
type month struct {
	Name  string
	Weeks [][7]date
}

// date is one day of it.
type date struct {
	Number      string // empty: of another month
	Count, Size string
	Title       string
	Today       bool
}

// ending is a day on which locks end.
type ending struct{ Day, Count, Size, Which string }

// due is what ends on one day.
type due struct {
	day   time.Time
	ids   []string
	bytes int64
}

const (
	maxMonths = 3
	maxDays   = 31
)

// newCalendar reads the locks as the catalogue has them: the earliest end that is known of a backup's objects.
func newCalendar(c *catalog.Catalog) calendar {
	var free, blind due
	days := map[time.Time]*due{}
	for n := range c.Backups {
		b := &c.Backups[n]
		if b.Objects == 0 {
			continue
		}
		switch until := b.LockedUntil; {
		case until == nil:
			blind.add(b)
		case !until.After(c.At):
			free.add(b)
		default:
			day := until.UTC().Truncate(day)
			if days[day] == nil {
				days[day] = &due{day: day}
			}
			days[day].add(b)
		}
	}
	var sorted []*due
	for _, d := range days {
		sorted = append(sorted, d)
	}
	slices.SortFunc(sorted, func(a, b *due) int { return a.day.Compare(b.day) })
	cal := calendar{Now: free.says(), Unseen: blind.says()}
	last := time.Time{}
	for _, d := range sorted {
		if first := firstOf(d.day); !first.Equal(last) && len(cal.Months) < maxMonths {
			cal.Months, last = append(cal.Months, newMonth(first, days, c.At)), first
		}
	}
	var later due
	for n, d := range sorted {
		if firstOf(d.day).After(last) {
			later.ids, later.bytes = append(later.ids, d.ids...), later.bytes+d.bytes
		}
		if n < maxDays {
			cal.Days = append(cal.Days, ending{d.day.Format(time.DateOnly), count(len(d.ids), "backup"), catalog.Size(d.bytes), d.which()})
		}
	}
	if len(later.ids) > 0 {
		cal.Later = fmt.Sprintf("%s, %s, are locked for longer, the last until %s.", count(len(later.ids), "backup"), catalog.Size(later.bytes), sorted[len(sorted)-1].day.Format(time.DateOnly))
	}
	if more := len(sorted) - maxDays; more > 0 {
		cal.More = fmt.Sprintf("and %s more", count(more, "day"))
	}
	return cal
}

func (d *due) add(b *catalog.Backup) { d.ids, d.bytes = append(d.ids, b.ID), d.bytes+b.Bytes }

func (d *due) which() string {
	slices.Sort(d.ids)
	text := strings.Join(d.ids[:min(len(d.ids), maxListed)], ", ")
	if more := len(d.ids) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (d *due) says() string {
	if len(d.ids) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s: %s", count(len(d.ids), "backup"), catalog.Size(d.bytes), d.which())
}

func firstOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// newMonth begins its weeks on Monday (ISO 8601).
func newMonth(first time.Time, days map[time.Time]*due, now time.Time) month {
	m := month{Name: first.Format("January 2006")}
	today := now.UTC().Truncate(day)
	for t := first.AddDate(0, 0, -(int(first.Weekday())+6)%7); t.Before(first.AddDate(0, 1, 0)); {
		var week [7]date
		for n := range week {
			if t.Month() == first.Month() {
				week[n] = date{Number: t.Format("2"), Today: t.Equal(today)}
				if d := days[t]; d != nil {
					week[n].Count, week[n].Size, week[n].Title = fmt.Sprintf("%d×", len(d.ids)), catalog.Size(d.bytes), t.Format(time.DateOnly)+": "+d.says()
				}
			}
			t = t.AddDate(0, 0, 1)
		}
		m.Weeks = append(m.Weeks, week)
	}
	return m
}
