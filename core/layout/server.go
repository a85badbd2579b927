package layout

import (
	"errors"
	"fmt"
)

// ErrName is the kind of every refusal of a name.
var ErrName = errors.New("name not allowed")

// Own is the prefix in staging under which everything stands that is not part
// of barman's layout. No server may have this name.
const Own = "_pgseal"

// CheckServer accepts 1 to 128 letters, digits, '.', '-' and '_', the first no
// dot, and not the reserved "_pgseal". ErrName otherwise.
func CheckServer(name string) error {
	switch {
	case name == "" || len(name) > 128:
		return fmt.Errorf("server name %.140q: %w: it has 1 to 128 characters", name, ErrName)
	case name == Own:
		return fmt.Errorf("server name %q: %w: it is reserved", name, ErrName)
	case name[0] == '.':
		return fmt.Errorf("server name %q: %w: it may not begin with a dot", name, ErrName)
	}
	for _, c := range []byte(name) {
		if !isWord(c) {
			return fmt.Errorf("server name %q: %w: letters, digits, '.', '-' and '_' only", name, ErrName)
		}
	}
	return nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}
