package awsiam

import (
	"fmt"
	"regexp"
	"strings"
)

// Match matches a pattern as IAM does: * stands for any characters, slashes included, and ? for one.
func Match(pattern, s string) bool {
	return match(special.Replace(pattern), s)
}

// anything and oneChar are * and ? in a pattern whose variables have been replaced, so that a value that has a * in it
// stands for itself.
const (
	anything = '\x00'
	oneChar  = '\x01'
)

var special = strings.NewReplacer("*", string(rune(anything)), "?", string(rune(oneChar)))

// variable is ${key}, or ${*}, ${?}, ${$} for the characters themselves.
var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// checkVariables refuses what replace does not know.
func checkVariables(pattern string) error {
	if rest := variable.ReplaceAllString(pattern, ""); strings.Contains(rest, "${") {
		return fmt.Errorf("%q has a variable without an end", pattern)
	}
	for _, v := range variable.FindAllString(pattern, -1) {
		if strings.ContainsAny(v, ",'\" ") {
			return fmt.Errorf("the variable %s in %q has a default value, which is not implemented", v, pattern)
		}
	}
	return nil
}

// replace puts the values of the request in the place of a pattern's variables. ok is false when the request lacks one:
// then the pattern matches nothing.
func (r Request) replace(pattern string) (out string, ok bool) {
	ok = true
	var b strings.Builder
	last := 0
	for _, at := range variable.FindAllStringIndex(pattern, -1) {
		b.WriteString(special.Replace(pattern[last:at[0]]))
		last = at[1]
		switch name := pattern[at[0]+2 : at[1]-1]; name {
		case "*", "?", "$":
			b.WriteString(name)
		default:
			value, present := r.lookup(name)
			ok = ok && present
			b.WriteString(value)
		}
	}
	b.WriteString(special.Replace(pattern[last:]))
	return b.String(), ok
}

// matches matches a pattern with variables.
func (r Request) matches(pattern, s string) bool {
	p, ok := r.replace(pattern)
	return ok && match(p, s)
}

func match(pattern, s string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == anything:
			star, mark = j, i
			j++
		case j < len(pattern) && (pattern[j] == oneChar || pattern[j] == s[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], string(rune(anything))) == ""
}

// matchARN matches the six parts of an ARN each for itself, as ArnLike does.
func matchARN(pattern, s string) bool {
	want, have := strings.SplitN(pattern, ":", 6), strings.SplitN(s, ":", 6)
	if len(want) != 6 || len(have) != 6 {
		return false
	}
	for i := range want {
		if !match(want[i], have[i]) {
			return false
		}
	}
	return true
}
