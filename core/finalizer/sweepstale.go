package finalizer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// staleEnder is a place in which the uploads of somebody who was killed stay
// open until they are ended. Amazon S3 is one; Cloud Storage and Azure drop
// theirs after a week by themselves.
type staleEnder interface {
	// EndStale ends the uploads below prefix that began before that time and got
	// nothing since, and whose keys are not spared; it looks at most of them.
	EndStale(ctx context.Context, prefix string, before time.Time, most int, spared func(key string) bool) (ended []string, err error)
}

// maxStale is how many open uploads of a server are looked at in one run. Each
// takes a listing of its parts and the request that ends it.
const maxStale = 100

// endStale ends what a killed uploader, or wal-archive, has left open: nothing
// was sent into it for as long as a heartbeat may be old, and the backup that it
// would belong to gives no sign of life. No object is touched. (In staging only
// the question whether something may be created is asked by an upload.)
func (v *swept) endStale(ctx context.Context, s *sweep) error {
	now, after := s.Now(), s.Config.abandonAfter()
	for _, place := range s.stale {
		if err := s.meter.take(); err != nil {
			return err
		}
		ended, err := place.EndStale(ctx, v.name+"/", now.Add(-after), maxStale, func(key string) bool {
			id, _, _ := strings.Cut(strings.TrimPrefix(key, layout.BaseDir(v.name)), "/")
			beat := v.inStaging[id]
			return !beat.IsZero() && now.Sub(beat) <= after
		})
		s.meter.used.Add(2 * int64(len(ended)))
		s.report.Ended += len(ended)
		for _, key := range ended {
			s.log().Warn("an unfinished upload is ended", "server", v.name, "key", key)
		}
		if errors.Is(err, bucket.ErrDenied) { // as where an older policy stands
			s.log().Warn("unfinished uploads cannot be ended", "server", v.name, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
