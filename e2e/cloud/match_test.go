package cloud

import "testing"

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "ab", false}, {"*", "", true}, {"*", "a/b", true},
		{"a*", "a", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false}, {"*/base/*", "p/s/base/1/x", true},
		{"*/base/*", "p/s/wals/1", false}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"*.?z", "x.gz", true},
		{"*ab*ab", "ab", false}, {"*ab*ab", "abab", true}, {"*ab*ab", "abcab", true}, {"a*b*c", "a-b-b-c", true}, {"a*b*c", "acb", false},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("%q and %q: %t", c.pattern, c.name, got)
		}
	}
}
