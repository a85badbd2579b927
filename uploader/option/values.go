package option

import (
	"fmt"
	"time"
)

// Values is what a command line and the environment came to. The getters take the long name of an option that the
// command has; another name or the wrong getter is a mistake in the program and panics.
type Values struct {
	// Notes are lines for the log about values that were understood but not taken as they are.
	Notes []string

	command *Command
	args    map[string]string
	values  map[string]any // by key: string, int, bool, int64, time.Duration, time.Time, []Tag or []string
	given   map[string]bool
	chosen  map[string]*Option // by exclusive group
}

// Arg returns a positional argument by its name in Command.Args; "" when it was left out.
func (v *Values) Arg(name string) string {
	for _, a := range v.command.Args {
		if a.Name == name {
			return v.args[name]
		}
	}
	panic(fmt.Sprintf("option: %s has no argument %s", v.command.Name, name))
}

// Has tells whether the command has an option of that name, for code that several commands share.
func (v *Values) Has(name string) bool { return v.command.option(name) != nil }

// Set tells whether the option was given, on the command line or by its environment variable.
func (v *Values) Set(name string) bool {
	return v.given[v.key(name)]
}

// Chosen returns which option of an exclusive group was given, such as "gzip" of "compression"; "" for none.
func (v *Values) Chosen(group string) string {
	if o := v.chosen[group]; o != nil {
		return o.Name
	}
	return ""
}

// String returns a String or Choice.
func (v *Values) String(name string) string { return value[string](v, name) }

// Int returns an Int.
func (v *Values) Int(name string) int { return value[int](v, name) }

// Count tells how often a Count was given.
func (v *Values) Count(name string) int { return value[int](v, name) }

// Bool returns a Bool.
func (v *Values) Bool(name string) bool { return value[bool](v, name) }

// Size returns a Size in bytes; 0 when there is neither a value nor a default.
func (v *Values) Size(name string) int64 { return value[int64](v, name) }

// Duration returns a Duration; 0 when there is neither a value nor a default.
func (v *Values) Duration(name string) time.Duration { return value[time.Duration](v, name) }

// Time returns a Time in UTC; the zero time when none was given.
func (v *Values) Time(name string) time.Time { return value[time.Time](v, name) }

// Tags returns Tags in the order in which they were given.
func (v *Values) Tags(name string) []Tag { return value[[]Tag](v, name) }

// List returns a List in the order in which it was given.
func (v *Values) List(name string) []string { return value[[]string](v, name) }

func value[T any](v *Values, name string) T {
	var zero T
	held, ok := v.values[v.key(name)]
	if !ok {
		return zero
	}
	t, ok := held.(T)
	if !ok {
		panic(fmt.Sprintf("option: --%s is a %T, not a %T", name, held, zero))
	}
	return t
}

func (v *Values) key(name string) string {
	o := v.command.option(name)
	if o == nil {
		panic(fmt.Sprintf("option: %s has no --%s", v.command.Name, name))
	}
	return o.key()
}
