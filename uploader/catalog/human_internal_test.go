package catalog

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestSpansAndSizesForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 s", 59 * time.Second: "59 s", 90 * time.Second: "1 min", 2 * time.Hour: "2 h", 125 * time.Minute: "2 h 5 min",
		49 * time.Hour: "2 d 1 h", 240 * time.Hour: "10 d",
	} {
		if got := Ago(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 10 << 20: "10 MiB", 1<<30 - 1: "1.0 GiB", 1 << 40: "1.0 TiB", 1<<63 - 1: "8.0 EiB"} {
		if got := Size(n); got != want || len(got) > 8 {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestTextsOfHostsAreMadeFitForATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"\x1b[31mred\x07":         "?[31mred?",
		"two\nlines\r\tand more ": "two lines and more",
		"left\u202eright\u200b":   "left?right?",
		"\u009b31m":               "?31m",
		"no \xff UTF-8":           "no ? UTF-8",
		"größer als 日本":           "größer als 日本",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
	if got := Printable(strings.Repeat("x", 1<<20)); len(got) > maxText+3 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestLinesAreBrokenAndCutByColumns(t *testing.T) {
	for _, tc := range []struct {
		in   string
		n    int
		want []string
	}{
		{"", 5, nil},
		{"a bc def", 4, []string{"a bc", "def"}},
		{"abcdefghij k", 4, []string{"abcd", "efgh", "ij k"}},
		{"x 日本日本", 4, []string{"x", "日本", "日本"}},
	} {
		if got := Wrap(tc.in, tc.n); !slices.Equal(got, tc.want) {
			t.Errorf("%q in %d: %q", tc.in, tc.n, got)
		}
	}
	for _, tc := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本日", 5, "日本…"}, {"ab cd", 4, "ab…"}} {
		if got := cut(tc.in, tc.n); got != tc.want {
			t.Errorf("%q in %d: %q", tc.in, tc.n, got)
		}
	}
}

func TestACommandCanBePasted(t *testing.T) {
	for in, want := range map[string]string{
		"s3://b/p": "s3://b/p", "": "''", "/srv/a b": "'/srv/a b'", "it's $HOME": `'it'\''s $HOME'`, "a;b": "'a;b'",
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

func FuzzNothingReachesTheTerminalUnprintable(f *testing.F) {
	f.Add("\x1b]0;owned\x07", 10)
	f.Add("日本\u202e", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + n&0x7f
		p := Printable(s)
		if strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }) || columns(cut(p, n)) > n {
			t.Errorf("%q cut to %d: %q", p, n, cut(p, n))
		}
		for _, line := range Wrap(p, n) {
			if columns(line) > n {
				t.Errorf("%d columns in %d: %q", columns(line), n, line)
			}
		}
	})
}
