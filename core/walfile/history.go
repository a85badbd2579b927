package walfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgseal/pgseal/core/layout"
)

// MaxHistory bounds the bytes of a history file: some 1,500 promotions.
const MaxHistory = 64 << 10

// Fork is one line of a history file: Parent was left at End.
type Fork struct {
	Parent uint32
	End    layout.LSN
}

// History is what a timeline's history file says, oldest fork first; timeline 1
// has none.
type History []Fork

// ParseHistory reads the history file of a timeline: lines of parent timeline,
// switch point and reason; timelines ascend, and stay below the file's own.
// ErrFormat otherwise.
func ParseHistory(timeline uint32, file []byte) (History, error) {
	var h History
	if len(file) > MaxHistory {
		return nil, fmt.Errorf("%w: a history file of %d bytes", ErrFormat, len(file))
	}
	for n, line := range strings.Split(string(file), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil, fmt.Errorf("%w: history line %d: %.80q", ErrFormat, n+1, line)
		}
		parent, err := strconv.ParseUint(fields[0], 10, 32)
		end, lsnErr := layout.ParseLSN(fields[1])
		if err != nil || lsnErr != nil {
			return nil, fmt.Errorf("%w: history line %d: %.80q", ErrFormat, n+1, line)
		}
		fork := Fork{uint32(parent), end}
		if last := len(h) - 1; fork.Parent == 0 || fork.Parent >= timeline || last >= 0 && (fork.Parent <= h[last].Parent || fork.End < h[last].End) {
			return nil, fmt.Errorf("%w: history line %d is out of order: %.80q", ErrFormat, n+1, line)
		}
		h = append(h, fork)
	}
	if len(h) == 0 {
		return nil, fmt.Errorf("%w: a history file without a line", ErrFormat)
	}
	return h, nil
}

// At is the timeline that the byte at lsn was written on, as seen from
// timeline, whose history h is.
func (h History) At(timeline uint32, lsn layout.LSN) uint32 {
	for _, fork := range h {
		if lsn < fork.End {
			return fork.Parent
		}
	}
	return timeline
}

// Begin is where the timeline forked off, 0 for one without history.
func (h History) Begin() layout.LSN {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].End
}
