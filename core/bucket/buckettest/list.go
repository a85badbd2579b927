package buckettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

// oddNames are parts of keys that are easy to encode, sort or compare wrongly.
// '-' and '.' sort before '/'; U+FF5E sorts before U+1F600 in UTF-8, but not in
// UTF-16.
var oddNames = []string{
	"a", "a-b", "a.b", "a b", "a+b", "a%2Fb", "a%", "a&b=c", "a?b", "a#b", "A", "a'b", `a"b`, "a,b;c", "a(b)[c]{d}",
	"a@b$c!d", "a*b", "a~b", "a^b|c", "a<b>c", "ä", "a\u0308", "日本語", "～", "😀", "a__b", "_", "a=b:c",
}

var listCases = []testCase{
	{"more keys than a page come in byte order, once each", func(t *testing.T, s suite) {
		b := s.Open(t)
		var want, dirs []string
		for _, n := range oddNames {
			dirs = append(dirs, n+"/")
		}
		for i := len(dirs); i < s.ManyKeys; i++ {
			dirs = append(dirs, fmt.Sprintf("n%05d/", i*7919%100003))
		}
		for _, d := range dirs {
			want = append(want, "many/"+d+"k")
		}
		createAll(t, b, want)
		createAll(t, b, []string{"before", "many-", "many.x", "many0", "many/n/deeper/k"})
		want = append(want, "many/n/deeper/k")
		dirs = append(dirs, "n/")
		slices.Sort(want)
		slices.Sort(dirs)

		wantKeys(t, "List", keys(collect(t, b.List(t.Context(), "many/"))), want)
		wantKeys(t, "ListVersions", keys(collect(t, b.ListVersions(t.Context(), "many/"))), want)
		got := collect(t, b.Dirs(t.Context(), "many/"))
		for i := range got {
			got[i] += "/"
		}
		wantKeys(t, "Dirs", got, dirs)

		n := 0
		for range b.List(t.Context(), "many/") {
			if n++; n == 5 {
				break
			}
		}
		for range b.Dirs(t.Context(), "many/") {
			break
		}
		for range b.ListVersions(t.Context(), "many/") {
			break
		}
		if n != 5 {
			t.Errorf("the loop was left after %d keys, want 5", n)
		}
	}},
	{"odd names can be read back", func(t *testing.T, s suite) {
		b := s.Open(t)
		for i, n := range oddNames {
			create(t, b, "odd "+n+"/"+n, content(i, 20), bucket.CreateOptions{})
		}
		for i, n := range oddNames {
			key := "odd " + n + "/" + n
			wantBody(t, b, key, "", content(i, 20))
			if got := stat(t, b, key, ""); got.Key != key || got.CRC32C != crc32c(content(i, 20)) {
				t.Errorf("Stat(%q) = %+v", key, got)
			}
		}
	}},
	{"a prefix is not a directory", func(t *testing.T, s suite) {
		b := s.Open(t)
		createAll(t, b, []string{"base/1/data.tar", "base/1/data_0001.tar", "base/10/data.tar", "base2/x", "wals/1"})
		for prefix, want := range map[string][]string{
			"":              {"base/1/data.tar", "base/1/data_0001.tar", "base/10/data.tar", "base2/x", "wals/1"},
			"base":          {"base/1/data.tar", "base/1/data_0001.tar", "base/10/data.tar", "base2/x"},
			"base/1":        {"base/1/data.tar", "base/1/data_0001.tar", "base/10/data.tar"},
			"base/1/":       {"base/1/data.tar", "base/1/data_0001.tar"},
			"base/1/data_":  {"base/1/data_0001.tar"},
			"base/1/data.t": {"base/1/data.tar"},
			"base/2":        nil,
			"wals/1":        {"wals/1"},
			"wals/1/":       nil,
			"nowhere/":      nil,
		} {
			wantKeys(t, "List "+prefix, keys(collect(t, b.List(t.Context(), prefix))), want)
			wantKeys(t, "ListVersions "+prefix, keys(collect(t, b.ListVersions(t.Context(), prefix))), want)
		}
	}},
	{"directories are the names that have keys below them", func(t *testing.T, s suite) {
		b := s.Open(t)
		createAll(t, b, []string{"top", "s/base/1/a", "s/base/1/b", "s/base/2/c/d", "s/base/file", "s/wals/x", "s-2/base/y"})
		for prefix, want := range map[string][]string{
			"":          {"s-2", "s"},
			"s/":        {"base", "wals"},
			"s/base/":   {"1", "2"},
			"s/base/1/": nil,
			"s/wals/":   nil,
			"none/":     nil,
		} {
			wantKeys(t, "Dirs "+prefix, collect(t, b.Dirs(t.Context(), prefix)), want)
		}
	}},
	{"an empty place has nothing to list", func(t *testing.T, s suite) {
		b := s.Open(t)
		if n := len(collect(t, b.List(t.Context(), ""))) + len(collect(t, b.ListVersions(t.Context(), ""))) +
			len(collect(t, b.Dirs(t.Context(), ""))); n != 0 {
			t.Errorf("%d entries in an empty place", n)
		}
	}},
	{"two places beside each other do not see each other", func(t *testing.T, s suite) {
		one, two := s.Open(t), s.Open(t)
		create(t, one, "k", content(1, 10), bucket.CreateOptions{})
		if one.URL() == two.URL() || strings.HasSuffix(one.URL(), "/") {
			t.Errorf("URLs %q and %q", one.URL(), two.URL())
		}
		wantKeys(t, "the other place", keys(collect(t, two.List(t.Context(), ""))), nil)
		create(t, two, "k", content(2, 10), bucket.CreateOptions{})
		wantBody(t, one, "k", "", content(1, 10))
	}},
}

// createAll stores a few bytes under each key, 16 at a time.
func createAll(t *testing.T, b bucket.Bucket, keys []string) {
	t.Helper()
	const workers = 16
	errs := atOnce(workers, func(w int) error {
		for i := w; i < len(keys); i += workers {
			if _, err := b.Create(t.Context(), keys[i], strings.NewReader(keys[i]), bucket.CreateOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keys(objects []bucket.Object) []string {
	var k []string
	for _, o := range objects {
		k = append(k, o.Key)
	}
	return k
}

// wantKeys compares two lists and shows where they part.
func wantKeys(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("%s: %d entries, want %d; they part at %d: got %q, want %q",
				what, len(got), len(want), i, got[i:min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
			return
		}
	}
}
