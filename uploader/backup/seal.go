package backup

import (
	"context"
	"errors"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

// Seal runs the finalizer in this process until it says something else than
// waiting, or until timeout (0: none) has passed, and returns its last verdict.
// A store that does not answer is asked again as long. The finalizer's own log
// is not used: every try would write to it.
func Seal(ctx context.Context, f finalizer.Finalizer, server, id string, timeout time.Duration) (finalizer.Verdict, error) {
	log := f.Log
	f.Log = nil
	end, pause, told := f.Now().Add(timeout), time.Second, ""
	for ; ; pause = min(pause*3/2, 5*time.Second) {
		v, err := f.Finalize(ctx, server, id)
		var later *finalizer.TransientError
		again := err == nil && v.State == finalizer.Waiting || errors.As(err, &later)
		if !again || timeout > 0 && !f.Now().Before(end) {
			for _, finding := range v.Findings {
				log.Error("finding", "server", server, "backup_id", id, "key", finding.Object, "finding", finding.Text)
			}
			return v, err
		}
		if w := why(v, err); w != told {
			log.Info("not sealed yet", "server", server, "backup_id", id, "verdict", v.State, "reason", w)
			told = w
		}
		if err := sleep(ctx, pause); err != nil {
			return v, err
		}
	}
}

func why(v finalizer.Verdict, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case len(v.Reasons) > 0:
		return v.Reasons[0].Text
	}
	return ""
}

// ErrNoVerdict: the finalizer had not said anything when the time was up.
var ErrNoVerdict = errors.New("no verdict")

// Await looks at staging until a verdict stands there that is not waiting, or
// until timeout (0: none) has passed. It returns the last verdict;
// ErrNoVerdict when there was none.
func Await(ctx context.Context, staging bucket.Bucket, server, id string, timeout time.Duration, now func() time.Time) (finalizer.Verdict, error) {
	end := now().Add(timeout)
	pause := time.Second
	for ; ; pause = min(pause*3/2, 10*time.Second) {
		v, _, err := finalizer.ReadVerdict(ctx, staging, server, id)
		missing := errors.Is(err, bucket.ErrNotFound)
		again := missing || bucket.Retryable(err) || err == nil && v.State == finalizer.Waiting
		switch {
		case again && (timeout <= 0 || now().Before(end)):
		case missing:
			return v, ErrNoVerdict
		default:
			return v, err
		}
		if err := sleep(ctx, pause); err != nil {
			return v, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
