package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Contrast as WCAG 2.1 counts it: at least 4.5 for text (1.4.3), 3 for what has to be told apart in a drawing (1.4.11).
func TestTheColoursCanBeRead(t *testing.T) {
	light, dark, ok := strings.Cut(style, "@media screen and (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "* {")
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = m[2]
		}
		if len(colours) != 20 {
			t.Fatalf("%s: %d colours", scheme, len(colours))
		}
		check := func(front, back string, least float64) {
			t.Helper()
			if c := contrast(t, colours[front], colours[back]); c < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, below %g", scheme, front, back, c, least)
			}
		}
		for _, back := range []string{"back", "raised"} {
			for _, front := range []string{"text", "muted", "link", "good", "busy", "bad", "warn", "other"} {
				check(front, back, 4.5)
			}
			for _, front := range []string{"wal", "window", "value"} {
				check(front, back, 3)
			}
		}
		for _, group := range []string{"good", "busy", "bad", "warn", "other"} {
			check(group, group+"-back", 4.5) // the badges
			check("over", group, 3)          // what is drawn on a glyph
		}
		check("text", "busy-back", 4.5) // the calendar
		check("muted", "busy-back", 4.5)
	}
	if c := contrast(t, "#000000", "#ffffff"); math.Abs(c-21) > 0.01 {
		t.Errorf("black on white has %g", c)
	}
	if c := contrast(t, "#777777", "#ffffff"); fmt.Sprintf("%.2f", c) != "4.48" { // the known grey that just fails
		t.Errorf("#777 on white has %g", c)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) (l float64) {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is no colour", colour)
	}
	for shift, weight := range map[int]float64{16: 0.2126, 8: 0.7152, 0: 0.0722} {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
