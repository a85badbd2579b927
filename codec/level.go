package codec

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrLevel is returned for a compression level that the chosen codec does not have.
var ErrLevel = errors.New("no such compression level")

// Level says how hard to compress: the zero value is the codec's default, which is its medium. Otherwise it is one of
// Low, Medium and High, or a number on the codec's own scale (see Number).
type Level struct {
	preset preset
	number int
}

type preset uint8

const (
	standard preset = iota
	low
	medium
	high
	exact
)

// The named levels of barman-cloud's --compression-level.
var (
	Default = Level{}
	Low     = Level{preset: low}
	Medium  = Level{preset: medium}
	High    = Level{preset: high}
)

// Number is a level on the codec's own scale, as its command line tool counts: gzip, bzip2 and xz 1 to 9, lz4 0 to 16,
// zstd -22 to 22.
func Number(n int) Level { return Level{preset: exact, number: n} }

// ParseLevel reads a level as barman-cloud's --compression-level takes it: low, medium, high or an integer. "" is the
// default. Whether the codec has that number is for Check to say. Errors are ErrLevel.
func ParseLevel(s string) (Level, error) {
	switch s {
	case "":
		return Default, nil
	case "low":
		return Low, nil
	case "medium":
		return Medium, nil
	case "high":
		return High, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return Level{}, fmt.Errorf("%w: %q is not low, medium, high or a whole number", ErrLevel, s)
	}
	return Number(n), nil
}

// String is the inverse of ParseLevel.
func (l Level) String() string {
	switch l.preset {
	case low:
		return "low"
	case medium:
		return "medium"
	case high:
		return "high"
	case exact:
		return strconv.Itoa(l.number)
	}
	return ""
}

// Check tells whether the codec has the level; the error is ErrLevel and names the levels there are. None and snappy
// have no numbers, and take the named levels for whatever they do.
func (c Codec) Check(l Level) error {
	_, err := c.number(l)
	return err
}

// levels is a codec's scale. A codec without numbers has min above max.
type levels struct {
	low, medium, high int
	min, max          int
}

var noLevels = levels{min: 1, max: 0}

func (c Codec) number(l Level) (int, error) {
	scale, name := noLevels, "no compression"
	if c != None {
		f, ok := formats[c.Name]
		if !ok {
			return 0, fmt.Errorf("%w %q", ErrUnknown, c.Name)
		}
		scale, name = f.levels, c.Name
	}
	switch l.preset {
	case low:
		return scale.low, nil
	case high:
		return scale.high, nil
	case exact:
		if scale.min > scale.max {
			return 0, fmt.Errorf("%w: %s takes no level, leave %d out", ErrLevel, name, l.number)
		}
		if l.number < scale.min || l.number > scale.max {
			return 0, fmt.Errorf("%w: %s has %d to %d, not %d", ErrLevel, name, scale.min, scale.max, l.number)
		}
		return l.number, nil
	}
	return scale.medium, nil
}
