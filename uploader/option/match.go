package option

import (
	"regexp"
	"slices"
	"strings"
)

// match is an argument that names an option.
type match struct {
	option   *Option
	written  string // the name in full: -J, --jobs, --no-wait
	value    string // what came in the same argument: -J4, --jobs=4
	hasValue bool
}

var negativeNumber = regexp.MustCompile(`^-\d+$|^-\d*\.\d+$`)

// classify decides, as argparse does, whether an argument names an option. isOption is false for a value or positional
// argument. An option that the command does not have comes back with a nil option; several that it could be are an
// error.
func (c *Command) classify(arg string) (m match, isOption bool, err error) {
	if len(arg) < 2 || arg[0] != '-' {
		return match{}, false, nil
	}
	if arg == "--" {
		return match{written: arg}, true, nil
	}
	if o := c.named(arg); o != nil {
		return match{option: o, written: arg}, true, nil
	}
	name, value, hasValue := strings.Cut(arg, "=")
	if o := c.named(name); o != nil && hasValue {
		return match{option: o, written: name, value: value, hasValue: true}, true, nil
	}
	if strings.HasPrefix(arg, "--") {
		found, names := c.shortened(name)
		if len(found) == 1 {
			return match{option: found[0], written: names[0], value: value, hasValue: hasValue}, true, nil
		}
		if len(found) > 1 {
			return match{}, true, Errorf("ambiguous option: %s could match %s", name, strings.Join(names, ", "))
		}
	} else if o := c.named(arg[:2]); o != nil {
		return match{option: o, written: arg[:2], value: arg[2:], hasValue: true}, true, nil
	}
	if negativeNumber.MatchString(arg) || strings.Contains(arg, " ") {
		return match{}, false, nil
	}
	return match{written: arg}, true, nil
}

// named finds an option by a name with its dashes.
func (c *Command) named(name string) *Option {
	for _, o := range c.Options() {
		if slices.Contains(o.names(), name) {
			return o
		}
	}
	return nil
}

// shortened finds the options whose long names begin so, each once, with the name that matched. Where barman's own
// parser would find an option, pgseal's additions stand back.
func (c *Command) shortened(prefix string) (found []*Option, names []string) {
	for _, own := range []bool{false, true} {
		for _, o := range c.Options() {
			if o.Own != own || slices.ContainsFunc(found, func(f *Option) bool { return f.key() == o.key() }) {
				continue
			}
			for _, n := range o.names() {
				if strings.HasPrefix(n, prefix) {
					found, names = append(found, o), append(names, n)
					break
				}
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found, names
}
