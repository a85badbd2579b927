package report

import (
	"strconv"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/uploader/catalog"
)

func TestLabelsOfAnAxisKeepTheirDistance(t *testing.T) {
	to := time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)
	for _, width := range []float64{250, 334, 700, 1100} {
		for span := 10 * time.Minute; span < 250*365*day; span += span/3 + time.Minute {
			a := axis{from: to.Add(-span), to: to, left: 12, right: 12 + width}
			last := -1e9
			for _, tick := range a.ticks() {
				x, err := strconv.ParseFloat(tick.X, 64)
				if err != nil {
					t.Fatal(err)
				}
				half := float64(len(tick.Label)) * 3.5 // no digit of the fonts asked for is wider at this size
				if x-half < a.left-1 || x+half > a.right+1 || x-last < 2*half+4 {
					t.Fatalf("%v over %v at %v: %q at %s", a.from, span, width, tick.Label, tick.X)
				}
				last = x
			}
		}
	}
}

func TestAForgedIDDoesNotPressTheRestTogether(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := now.Add(-d); return &t }
	sealed := catalog.Backup{ID: "20261101T000000", State: catalog.Sealed, End: at(22 * day)}
	for name, tc := range map[string]struct {
		also catalog.Backup
		from time.Time
	}{
		"a failed one shortly before":  {catalog.Backup{ID: "20261030T000000", State: catalog.Failed, Begin: at(24 * day)}, *at(24 * day)},
		"a failed one of long ago":     {catalog.Backup{ID: "19700101T000000", State: catalog.Failed}, *at(22 * day)},
		"an abandoned one of tomorrow": {catalog.Backup{ID: "20261124T120000", State: catalog.Abandoned}, *at(22 * day)},
	} {
		s := Server{Catalog: &catalog.Catalog{At: now, Backups: []catalog.Backup{tc.also, sealed}}, Audit: &audit.Report{}}
		if from, to := span(s, now); !from.Equal(tc.from) || !to.Equal(now) {
			t.Errorf("%s: from %s to %s", name, from, to)
		}
	}
}

func TestTheCalendar(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(s string) *time.Time {
		at, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return &at
	}
	c := newCalendar(&catalog.Catalog{At: now, Backups: []catalog.Backup{
		{ID: "e", Objects: 1, Bytes: 5, LockedUntil: at("2028-01-01T00:00")},
		{ID: "d", Objects: 1, Bytes: 4, LockedUntil: at("2026-12-01T23:59")},
		{ID: "c", Objects: 1, Bytes: 3, LockedUntil: at("2026-12-01T00:00")},
		{ID: "b", Objects: 1, Bytes: 2, LockedUntil: at("2026-11-23T12:00")},
		{ID: "a", Objects: 1, Bytes: 1},
		{ID: "0", Bytes: 0, LockedUntil: at("2026-12-05T00:00")}, // nothing of it is there
	}})
	if c.Now != "1 backup, 2 B: b" || c.Unseen != "1 backup, 1 B: a" || len(c.Months) != 2 || c.Later != "" || len(c.Days) != 2 {
		t.Fatalf("%+v", c)
	}
	if m := c.Months[0]; m.Name != "December 2026" || m.Weeks[0][0].Number != "" || m.Weeks[0][1].Number != "1" || m.Weeks[0][1].Count != "2×" || m.Weeks[0][1].Size != "7 B" {
		t.Errorf("%+v", m)
	}
	if c.Days[0] != (ending{"2026-12-01", "2 backups", "7 B", "c, d"}) {
		t.Errorf("%+v", c.Days)
	}
}
