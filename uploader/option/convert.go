package option

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// convert reads the text of one value and puts it where the option keeps its values. Its errors say what is wrong with
// the text; whoever calls it says where the text came from.
func (v *Values) convert(o *Option, text string) error {
	var held any
	var err error
	switch o.Kind {
	case String:
		held = text
	case Choice:
		if !slices.Contains(o.Choices, text) {
			return fmt.Errorf("invalid choice: '%s' (choose from '%s')", text, strings.Join(o.Choices, "', '"))
		}
		held = text
	case Int:
		n, nerr := strconv.Atoi(strings.TrimSpace(text))
		if nerr != nil {
			return fmt.Errorf("invalid int value: '%s'", text)
		}
		if int64(n) < o.Min {
			return fmt.Errorf("'%s' is too small: at least %d", text, o.Min)
		}
		held = n
	case Bool:
		if held, err = parseBool(text); err != nil {
			return err
		}
	case Size:
		n, serr := ParseSize(text)
		if serr != nil {
			return serr
		}
		if o.Max > 0 && n > o.Max {
			v.Notes = append(v.Notes, fmt.Sprintf("--%s %s is lowered to %d bytes, the most that is possible", o.Name, text, o.Max))
			n = o.Max
		}
		held = n
	case Duration:
		if held, err = ParseDuration(text); err != nil {
			return err
		}
	case Time:
		if held, err = ParseTime(text); err != nil {
			return err
		}
	case Tags:
		tag, terr := ParseTag(text)
		if terr != nil {
			return terr
		}
		have, _ := v.values[o.key()].([]Tag)
		if held, err = addTag(have, tag); err != nil {
			return err
		}
	case List:
		have, _ := v.values[o.key()].([]string)
		held = append(have, text)
	default:
		return fmt.Errorf("takes no value")
	}
	if o.Check != nil {
		if err := o.Check(text); err != nil {
			return err
		}
	}
	v.values[o.key()] = held
	return nil
}

// parseBool reads a Bool's environment variable.
func parseBool(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("'%s' is neither true nor false", s)
}
