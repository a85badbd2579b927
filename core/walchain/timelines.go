package walchain

import (
	"context"
	"fmt"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// followTimelines finds the newest timeline, and the history files that lead a
// restore of this backup astray.
func (c *check) followTimelines(ctx context.Context) error {
	c.newest = c.b.Timeline
	if c.newest > 1 { // the backup's own
		h, err := c.readHistory(ctx, c.newest)
		if err != nil {
			return err
		}
		switch {
		case !h.there:
			c.add("wal-missing", h.key, "the history file of the backup's own timeline is not there")
		case h.bad == nil:
			c.history = h.lines
		}
	}
	astray := Problem{} // what the newest history does to a restore
	for t := c.b.Timeline + 1; t != 0 && t-c.b.Timeline <= maxTimelines; t++ {
		h, err := c.readHistory(ctx, t)
		if err != nil {
			return err
		}
		if !h.there {
			break
		}
		if h.forms > 1 {
			c.add("wal-double", h.key, "it is there in %d compressions, and a restore may take either", h.forms)
		}
		if h.bad != nil {
			c.add("wal-content", h.key, "%v", h.bad)
			break
		}
		astray = Problem{}
		switch end, through := leaves(h.lines, c.b.Timeline); {
		case !through:
			astray = c.fork(h, "it does not lead through timeline %d, on which this backup is", c.b.Timeline)
		case end >= c.b.End:
			c.newest, c.history = t, h.lines
		case end >= c.b.Begin:
			p := c.fork(h, "it says that timeline %d ended at %s, inside this backup", c.b.Timeline, end)
			c.add(p.Code, p.Key, "%s", p.Text)
		default:
			astray = c.fork(h, "it says that timeline %d ended at %s, before this backup", c.b.Timeline, end)
		}
	}
	if astray.Code != "" {
		c.add(astray.Code, astray.Key, "%s", astray.Text)
	}
	return nil
}

// leaves tells where a history leaves a timeline, and whether it knows it at all.
func leaves(h walfile.History, timeline uint32) (layout.LSN, bool) {
	for _, fork := range h {
		if fork.Parent == timeline {
			return fork.End, true
		}
	}
	return 0, false
}

func (c *check) fork(h *history, format string, args ...any) Problem {
	return Problem{"history-fork", h.key, fmt.Sprintf(format, args...) + ": a restore to the latest timeline, PostgreSQL's default, fails; use recovery_target_timeline = 'current'"}
}
