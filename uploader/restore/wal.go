package restore

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

const initdbSegment = 16 << 20 // what old versions of barman do not write down

// clocks is how far the store's clock may be behind the server's.
const clocks = time.Minute

// checkWAL looks whether the WAL leads through the backup and to the target, before anything is copied: PostgreSQL says
// so only at the end. Holes beyond are notes.
func (c Config) checkWAL(ctx context.Context, s *set) error {
	i := s.info
	size := i.SegmentSize
	if !layout.SegmentSize(size) {
		size = initdbSegment
	}
	if i.BeginLSN == 0 || i.EndLSN <= i.BeginLSN || i.Timeline == 0 {
		s.note("backup.info does not say which WAL the backup needs; it was not looked for")
		return nil
	}
	a := &walchain.Archive{Vault: c.Vault, Server: c.Server, Size: size, Decompress: codec.Decompress}
	r, err := a.Check(ctx, walchain.Backup{Timeline: i.Timeline, Begin: i.BeginLSN, End: i.EndLSN})
	if err != nil {
		return fmt.Errorf("look for the WAL: %w", err)
	}
	for _, p := range r.Problems {
		if p.Code == "wal-missing" {
			return fmt.Errorf("%w: %s: %s", ErrTarget, p.Key, p.Text)
		}
		s.note("%s: %s", p.Key, p.Text)
	}
	if t := c.Target.Timeline; t != "" && t != "latest" {
		return nil // the end of that one was not looked for
	}
	tip := r.Tip.Name(size)
	switch {
	case c.Target.LSN > layout.LSN((r.Tip.Number+1)*uint64(size)):
		return fmt.Errorf("%w: %s is after the end of the WAL, which leads to segment %s", ErrTarget, c.Target.LSN, tip)
	case !c.Target.Time.IsZero():
		archived, err := c.archived(ctx, tip)
		if err != nil {
			return fmt.Errorf("look for the WAL: %w", err)
		}
		if !archived.IsZero() && c.Target.Time.After(archived.Add(clocks)) {
			return fmt.Errorf("%w: the WAL leads to segment %s, which was archived %s, and PostgreSQL ends in an error when it does not come to its target; "+
				"without a target it goes to the end of the WAL", ErrTarget, tip, archived.UTC().Format("2006-01-02 15:04:05Z"))
		}
	}
	return nil
}

// archived is when the store got a segment, in whatever compression.
func (c Config) archived(ctx context.Context, segment string) (at time.Time, err error) {
	for obj, err := range c.Vault.List(ctx, layout.WAL(c.Server, segment, "")) {
		if err != nil {
			return at, err
		}
		if name, _ := layout.SplitWAL(path.Base(obj.Key)); name == segment && obj.Created.After(at) {
			at = obj.Created
		}
	}
	return at, nil
}
