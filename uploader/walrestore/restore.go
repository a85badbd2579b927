package walrestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// ErrNotThere: the archive was looked through, and does not have the file.
var ErrNotThere = errors.New("not in the archive")

// ErrContent: what stands in the archive under this name is not what its name or its digest says.
var ErrContent = errors.New("its content is not what its name says")

// ErrSpool: the spool is no place that can be trusted.
var ErrSpool = errors.New("spool directory")

// Request says what to bring back, and where to.
type Request struct {
	Bucket bucket.Bucket
	Server string // as layout.CheckServer accepts it
	Name   string // of a kind that layout.KindOfWAL knows
	To     string // the file to write, %p in restore_command

	// NoPartial: a segment's .partial does not stand in for it. A whole segment always comes before one.
	NoPartial bool
	// Spool is a directory for segments that are fetched ahead, Ahead of them at a time; "" for none.
	Spool string
	Ahead int
	// RetryFor is how long to try again what failed.
	RetryFor time.Duration

	Log *slog.Logger
}

// Pauses between tries.
const (
	firstPause = time.Second
	maxPause   = 15 * time.Second
)

// Restore writes the file to r.To, in one step: what was there stays until the new one is whole, verified and on disk.
//
// Errors: layout.ErrName for a name that is none; ErrSpool; ErrNotThere; ErrContent and whatever the store or the file system said,
// after it was tried for r.RetryFor; ctx's own.
func Restore(ctx context.Context, r Request) error {
	if err := errors.Join(CheckName(r.Name), layout.CheckServer(r.Server)); err != nil {
		return err
	}
	sp, err := r.openSpool()
	if err != nil {
		return err
	}
	defer sp.close()
	if sp.take(r) {
		return nil
	}
	end := time.Now().Add(r.RetryFor)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := r.once(ctx, sp)
		switch {
		case err == nil || errors.Is(err, ErrNotThere) || ctx.Err() != nil:
			return err
		case time.Now().Add(pause).After(end):
			return err
		}
		r.Log.Warn("cannot be restored yet; trying again", "server", r.Server, "name", r.Name, "error", err, "for", time.Until(end).Round(time.Second))
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// CheckName tells whether PostgreSQL asks for files of this name. layout.ErrName otherwise.
func CheckName(name string) error {
	if layout.KindOfWAL(name) == layout.NotWAL {
		return fmt.Errorf("%q: %w for a WAL file: it looks like 00000001000000A900000065 or 00000002.history", name, layout.ErrName)
	}
	return nil
}

// once is one try. What follows the segment is fetched at the same time.
func (r Request) once(ctx context.Context, sp *spool) error {
	obj, err := r.find(ctx)
	if err != nil {
		return err
	}
	stop := sp.fill(ctx, r, obj.Key)
	_, err = r.fetch(ctx, obj, r.To, true)
	stop(err)
	return err
}
