package figures

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func table() Table {
	return Table{
		Title: "Base backup of 600 MB, -J 2", At: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Runs: 5, Unit: "s",
		Rows: []Row{
			{Name: "barman none", Median: 12.34, Least: 12, Most: 13.5, CPU: 3, RSS: 126 << 20, Stored: 600e6},
			{Name: "pgseal none", Against: "barman none", Median: 2.468, Least: 2.4, Most: 2.6, CPU: 1.5, RSS: 60 << 20, Stored: 600e6},
		},
	}
}

func TestWhatIsKeptIsRead(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(Dir, dir)
	later := table()
	later.Title, later.At = "Another", later.At.Add(time.Hour)
	for _, one := range []Table{later, table()} {
		if err := one.Keep(); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Read(dir)
	if err != nil || len(all) != 2 || all[0].Title != table().Title || all[0].Rows[1] != table().Rows[1] || all[1].Title != "Another" {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("nothing was read without an error")
	}
}

func TestTheTableHasRatiosAndSpread(t *testing.T) {
	got := table().Markdown("performance")
	for _, want := range []string{
		"## Base backup of 600 MB, -J 2\n", "(performance/base-backup-of-mb.svg)", "Medians of 5, 2026-11-26 12:00 UTC.",
		"| barman none | 12.3 | 12.0 to 13.5 | 3.00 | 126 | 600.0 |  |\n",
		"| pgseal none | 2.47 | 2.40 to 2.60 | 1.50 | 60 | 600.0 | **5.0** × barman none |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestTheChartIsXML(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(table().SVG()))
	bars := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 2 || !strings.Contains(table().SVG(), "2.47 s (5.0×)") {
		t.Errorf("%d bars\n%s", bars, table().SVG())
	}
}
