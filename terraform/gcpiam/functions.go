package gcpiam

import (
	"fmt"
	"strings"
)

var functions = map[string]func(value, argument string) (any, error){
	"startsWith": func(v, prefix string) (any, error) { return strings.HasPrefix(v, prefix), nil },
	"endsWith":   func(v, suffix string) (any, error) { return strings.HasSuffix(v, suffix), nil },
	"extract":    func(v, template string) (any, error) { return extract(v, template) },
}

// extract takes out of a resource name what stands in place of the template's {placeholder}: after the first occurrence of
// what precedes it, up to the next occurrence of what follows, or to the end if nothing follows; "" when either is missing.
func extract(value, template string) (any, error) {
	before, rest, ok := strings.Cut(template, "{")
	name, after, closed := strings.Cut(rest, "}")
	if !ok || !closed || name == "" {
		return nil, fmt.Errorf("extract: %q has no {placeholder}", template)
	}
	_, rest, ok = strings.Cut(value, before)
	if !ok {
		return "", nil
	}
	if after == "" {
		return rest, nil
	}
	found, _, ok := strings.Cut(rest, after)
	if !ok {
		return "", nil
	}
	return found, nil
}
