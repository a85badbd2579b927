package barman

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// walName is what barman takes for a file of the WAL archive (xlog.py, 3.4 to 3.17); it lets small letters pass.
var walName = regexp.MustCompile(`^([\dA-Fa-f]{8})(?:([\dA-Fa-f]{8})([\dA-Fa-f]{8})(?:\.[\dA-Fa-f]{8}\.backup|\.partial)?|\.history)$`)

// WAL is one file of the WAL archive.
type WAL struct {
	Name   string // without the suffix of its compression
	Object bucket.Object
}

// Timeline is the one in the name.
func (w WAL) Timeline() uint32 {
	n, _ := strconv.ParseUint(w.Name[:8], 16, 32)
	return uint32(n)
}

// History tells whether it is a timeline's history file.
func (w WAL) History() bool { return strings.HasSuffix(w.Name, ".history") }

// isWAL takes one suffix of a compression off a key and tells whether the rest is a name of the WAL archive.
func isWAL(key string) (name string, ok bool) {
	name = path.Base(key)
	if !walName.MatchString(name) {
		if name, _ = layout.SplitWAL(name); !walName.MatchString(name) {
			return "", false
		}
	}
	return name, true
}

// ParseWAL tells whether an object of the WAL archive is a file that barman knows.
func ParseWAL(o bucket.Object) (WAL, bool) {
	name, ok := isWAL(o.Key)
	return WAL{Name: name, Object: o}, ok
}

// ErrInUse: the archive has WAL that a new server must not meet.
var ErrInUse = errors.New("WAL archive check failed")

// CheckWALArchive tells whether a new server may archive here: ErrInUse if there is WAL, or with a timeline above 0, if
// there is WAL of that timeline or a later one. A bucket that is not there is empty.
func (c Catalogue) CheckWALArchive(ctx context.Context, timeline uint32) error {
	names := map[string]bool{}
	for obj, err := range c.Vault.List(ctx, layout.WALDir(c.Server)) {
		if errors.Is(err, bucket.ErrNotFound) {
			return nil
		} else if err != nil {
			return fmt.Errorf("list the WAL archive: %w", err)
		}
		name, ok := isWAL(obj.Key)
		switch {
		case !ok:
		case timeline == 0:
			return fmt.Errorf("%w for server %s: Expected empty archive", ErrInUse, c.Server)
		case WAL{Name: name}.Timeline() >= timeline:
			names[name] = true
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w for server %s: Found 1 file in WAL archive equal to or newer than timeline %d", ErrInUse, c.Server, timeline)
	}
	return fmt.Errorf("%w for server %s: Found %d files in WAL archive equal to or newer than timeline %d", ErrInUse, c.Server, len(names), timeline)
}
