package figures

import (
	"fmt"
	"strings"
)

// row finds a contender.
func (t Table) row(name string) (Row, bool) {
	for _, r := range t.Rows {
		if r.Name == name {
			return r, true
		}
	}
	return Row{}, false
}

// times is how many times as fast a row is as the one it is compared with; 0 without one.
func (t Table) times(r Row) float64 {
	other, ok := t.row(r.Against)
	if !ok || r.Median == 0 {
		return 0
	}
	return other.Median / r.Median
}

// Markdown is the table, with a chart under the given directory's name.
func (t Table) Markdown(charts string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n![%s](%s/%s.svg)\n\n", t.Title, t.Title, charts, t.Name())
	fmt.Fprintf(&b, "Medians of %d, %s.\n\n", t.Runs, t.At.UTC().Format("2006-01-02 15:04 UTC"))
	fmt.Fprintf(&b, "| | %s | least to most | CPU s | memory MiB | stored MB | times as fast |\n|---|---:|---:|---:|---:|---:|---|\n", t.Unit)
	for _, r := range t.Rows {
		ratio := r.Note
		if n := t.times(r); n > 0 {
			ratio = strings.TrimSpace(fmt.Sprintf("**%.1f** × %s %s", n, r.Against, r.Note))
		}
		fmt.Fprintf(&b, "| %s | %s | %s to %s | %s | %s | %s | %s |\n", r.Name, digits(r.Median), digits(r.Least), digits(r.Most),
			unless0(r.CPU, digits(r.CPU)), unless0(float64(r.RSS), fmt.Sprint(r.RSS>>20)), unless0(float64(r.Stored), fmt.Sprintf("%.1f", float64(r.Stored)/1e6)), ratio)
	}
	return b.String()
}

// digits writes three of them.
func digits(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func unless0(f float64, text string) string {
	if f == 0 {
		return ""
	}
	return text
}

const (
	chartWidth = 720
	labelWidth = 200
	barHeight  = 18
	barGap     = 6
)

// SVG is a chart of the medians, with a line from the least to the most.
func (t Table) SVG() string {
	var most float64
	for _, r := range t.Rows {
		most = max(most, r.Most)
	}
	height := 16 + len(t.Rows)*(barHeight+barGap)
	scale := func(f float64) float64 { return f / most * (chartWidth - labelWidth - 90) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, height, chartWidth, height)
	b.WriteString(`<style>text{fill:#222}.ours{fill:#1f6f8b}.theirs{fill:#b0b8bf}.spread{stroke:#222}` +
		`@media (prefers-color-scheme:dark){text{fill:#ddd}.ours{fill:#4fb3d1}.theirs{fill:#5c666e}.spread{stroke:#ddd}}</style>` + "\n")
	for i, r := range t.Rows {
		y := 8 + i*(barHeight+barGap)
		class := "theirs"
		if strings.HasPrefix(r.Name, "pgseal") {
			class = "ours"
		}
		value := digits(r.Median) + " " + t.Unit
		if n := t.times(r); n > 0 {
			value += fmt.Sprintf(" (%.1f×)", n)
		}
		middle := float64(y) + barHeight/2
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`, labelWidth-8, middle+4, r.Name)
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`, class, labelWidth, y, scale(r.Median), barHeight)
		fmt.Fprintf(&b, `<line class="spread" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, labelWidth+scale(r.Least), middle, labelWidth+scale(r.Most), middle)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`+"\n", labelWidth+scale(r.Most)+6, middle+4, value)
	}
	b.WriteString("</svg>\n")
	return b.String()
}
