// Package option is the one table of the options of pgseal's commands. Each option is written down once; the parser,
// the help text and the documentation page all read the same table.
//
// The commands backup and wal-archive take what people type for barman-cloud-backup and barman-cloud-wal-archive
// (barman 3.4 to 3.18, disk snapshots aside), and read it as Python's argparse does: grouped short options, values with
// or without "=", options after the URL, and names shortened as long as they stay unambiguous.
package option

import (
	"errors"
	"fmt"
)

// ExitUsage is the exit code for a bad command line, as in barman-cloud.
const ExitUsage = 3

// BarmanVersion is the newest barman-cloud whose arguments are understood, disk snapshots aside.
const BarmanVersion = "3.18.0"

// ErrHelp and ErrVersion are returned by Parse and Find when --help or --version was asked for.
var (
	ErrHelp    = errors.New("help was asked for")
	ErrVersion = errors.New("the version was asked for")
)

// Error is a mistake in the arguments or in an environment variable; its text is one line for the person who typed.
type Error struct{ message string }

func (e *Error) Error() string { return e.message }

// Errorf makes an Error, also for mistakes that only the command itself can see.
func Errorf(format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...)}
}

// Kind is what an option holds, and so how its text is read and which getter of Values returns it.
type Kind int

// The kinds of options.
const (
	String   Kind = iota
	Choice        // a String that is one of Choices
	Int           // a whole number, at least Min
	Bool          // no value; with Negatable also --no-NAME
	Count         // no value; how often it was given
	Size          // bytes, see ParseSize
	Duration      // see ParseDuration
	Time          // see ParseTime
	Tags          // key,value pairs, see ParseTag; repeats add up
	List          // a String; repeats add up

	help    // ends parsing with ErrHelp
	version // ends parsing with ErrVersion
	refused // known to barman and not part of pgseal; Help is the error
)

// Option describes one option.
type Option struct {
	// Name is the long name without dashes, by which Values knows the option.
	Name string
	// Short is the one-letter name, or "".
	Short string
	// Aliases are further long names.
	Aliases []string
	// Env is the environment variable that stands in when the option is not given, or "".
	Env string

	Kind    Kind
	Choices []string // of a Choice
	Min     int64    // the least value of an Int
	Max     int64    // a larger Size is lowered to this, with a note; 0 for no limit
	Default string   // read as if it had been typed; "" for the zero value
	Check   func(string) error

	// Negatable adds --no-NAME to a Bool.
	Negatable bool
	// Many lets Tags take all values that follow (argparse's nargs).
	Many bool
	// Into is the name of another option of the same kind that collects this one's values.
	Into string
	// Exclusive is the name of a group of options of which only one may be given.
	Exclusive string
	// Own marks what barman does not have. Shortened names that barman would understand keep barman's meaning.
	Own bool

	// Metavar stands for the value in the help, Help says what the option does, Group is the heading it stands under.
	Metavar string
	Help    string
	Group   string

	in commandSet
}

// Refused tells whether the option is barman's and not part of pgseal.
func (o *Option) Refused() bool { return o.Kind == refused }

// key is the name under which Values keeps the option's value.
func (o *Option) key() string {
	if o.Into != "" {
		return o.Into
	}
	return o.Name
}

// takesValue tells whether the option needs a value on the command line.
func (o *Option) takesValue() bool {
	switch o.Kind {
	case Bool, Count, help, version:
		return false
	}
	return true
}

// names returns every way to write the option, short first.
func (o *Option) names() []string {
	var n []string
	if o.Short != "" {
		n = append(n, "-"+o.Short)
	}
	n = append(n, "--"+o.Name)
	for _, a := range o.Aliases {
		n = append(n, "--"+a)
	}
	if o.Negatable {
		n = append(n, "--no-"+o.Name)
	}
	return n
}
