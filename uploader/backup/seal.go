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
				log.Error("a sealed backup has findings", "server", server, "backup_id", id, "finding", string(finalizer.FindingOf(finding.Code)),
					"code", finding.Code, "reason", finding.Text, "object", finding.Object)
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

// Await looks at staging until a verdict on res stands there that is not
// waiting, or until timeout has passed; a wait for WAL lasts walTimeout at most
// (0: none, for both). It returns the last verdict; ErrNoVerdict when there was
// none. While the finalizer waits for WAL, the marker is written again and
// again: the finalizer never sleeps, and the arrival of WAL does not wake it.
func (c Config) Await(ctx context.Context, res Result, timeout, walTimeout time.Duration) (finalizer.Verdict, error) {
	end, walEnd := c.Now().Add(timeout), c.Now().Add(walTimeout)
	left := func(timeout time.Duration, end time.Time) bool { return timeout <= 0 || c.Now().Before(end) }
	told := ""
	for pause := time.Second; ; pause = min(pause*3/2, 10*time.Second) {
		v, _, err := finalizer.ReadVerdict(ctx, c.Staging, c.Server, res.ID)
		missing, waiting := errors.Is(err, bucket.ErrNotFound), err == nil && v.State == finalizer.Waiting
		again := missing || bucket.Retryable(err) || waiting && left(walTimeout, walEnd)
		switch {
		case again && left(timeout, end):
		case missing:
			return v, ErrNoVerdict
		default:
			return v, err
		}
		if waiting {
			if w := why(v, nil); w != told {
				c.Log.Info("not sealed yet", "server", c.Server, "backup_id", res.ID, "verdict", v.State, "reason", w)
				told = w
			}
			if err := c.writeMarker(ctx, res); err != nil {
				c.Log.Warn("the finalizer cannot be woken again", "server", c.Server, "backup_id", res.ID, "error", err)
			}
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
