package finalizer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// SweepReport says what one run of the sweep did.
type SweepReport struct {
	Servers   int `json:"servers"`
	Looked    int `json:"looked"`    // backups that it was time to look at
	Sealed    int `json:"sealed"`    // of these: sealed now, and not at the last look
	Waiting   int `json:"waiting"`   // that wait for WAL
	Rejected  int `json:"rejected"`  // rejected now, and not at the last look
	Conflicts int `json:"conflicts"` // likewise
	Abandoned int `json:"abandoned"` // likewise
	Audited   int `json:"audited"`
	Tampered  int `json:"tampered"` // audited backups with such a finding
	Damaged   int `json:"damaged"`  // likewise
	Ended     int `json:"ended"`    // unfinished uploads that nobody went on with
	Failed    int `json:"failed"`   // looks that the store, or a missing right, did not allow
	Requests  int `json:"requests"`
	// Done: everything that was due was done. Otherwise the next run goes on where
	// this one stopped.
	Done bool `json:"done"`
}

// sweepLimits bound one run.
type sweepLimits struct {
	requests  int64 // of the whole run
	perBackup int64 // of one look, while there is anything else to do
	names     int   // of one server's backups
}

var defaultLimits = sweepLimits{requests: 50_000, perBackup: 5_000, names: 20_000}

// saving is what is left, of the time for one call, to keep what was learned.
const saving = 3 * time.Second

// Sweep does what no event asks for. It goes through all servers and looks at
// each of their backups when it is time to: it finalizes complete sets whose
// marker or event was lost (the vault's manifests tell, so a flood of markers
// does not matter), tries waiting ones again and rejects them after their
// deadline, calls uploads abandoned whose heartbeat stopped, and audits what is
// sealed. Of the vault it writes backup.info alone. Where uploads stay open
// whose process was killed, it ends them.
//
// Servers take turns: the next turn has who has used the fewest requests, so
// that none can take another's. A backup that needs more than its share comes
// last, with all that is left. An error is given after everything else was
// done; a run that its time or its requests end is none, and not Done.
func (f *Finalizer) Sweep(ctx context.Context) (SweepReport, error) {
	ctx, cancel := f.withDeadline(ctx)
	defer cancel()
	s := newSweep(f)
	err := s.run(ctx)
	s.report.Requests = int(s.meter.used.Load())
	s.log().Info("swept", "servers", s.report.Servers, "looked", s.report.Looked, "sealed", s.report.Sealed, "waiting", s.report.Waiting,
		"rejected", s.report.Rejected, "conflicts", s.report.Conflicts, "abandoned", s.report.Abandoned, "audited", s.report.Audited, "tampered", s.report.Tampered,
		"damaged", s.report.Damaged, "ended", s.report.Ended, "failed", s.report.Failed, "requests", s.report.Requests, "done", s.report.Done)
	if err != nil {
		err = classify(ctx, fmt.Errorf("sweep: %w", err))
	}
	return s.report, err
}

// sweep is one run.
type sweep struct {
	*Finalizer // with metered buckets, on the store's clock
	meter      *meter
	stale      []staleEnder // none where no uploads stay open
	limits     sweepLimits
	servers    []*swept
	report     SweepReport
	err        error // the first one
}

func newSweep(f *Finalizer) *sweep {
	s := &sweep{meter: &meter{}, limits: f.limits}
	if s.limits == (sweepLimits{}) {
		s.limits = defaultLimits
	}
	for _, place := range []bucket.Bucket{f.Vault, f.Staging} {
		if stale, is := place.(staleEnder); is {
			s.stale = append(s.stale, stale)
		}
	}
	own := *f
	own.Vault, own.Staging = metered{f.Vault, s.meter}, metered{f.Staging, s.meter}
	s.Finalizer = &own
	return s
}

func (s *sweep) run(ctx context.Context) error {
	s.meter.limit = s.limits.requests
	cursor, err := s.readCursor(ctx)
	if err != nil {
		return err
	}
	began, err := s.writeCursor(ctx, cursor.Next)
	if err != nil {
		return err
	}
	now := s.Now
	ahead := began.Sub(now())
	s.Now = func() time.Time { return now().Add(ahead) }
	if err := s.findServers(ctx, cursor.Next); err != nil {
		return err
	}
	work, cancel := s.withWorkingTime(ctx)
	defer cancel()
	s.takeTurns(work)
	s.meter.limit = s.meter.used.Load() + 2*int64(len(s.servers)) + 10
	next := ""
	for _, server := range s.servers {
		if next == "" && !server.done() {
			next = server.name
		}
		if server.changed {
			s.fail(server, "", s.writeNotes(ctx, server.notes))
		}
	}
	s.report.Done = next == ""
	if next != cursor.Next {
		if _, err := s.writeCursor(ctx, next); err != nil && s.err == nil {
			s.err = err
		}
	}
	return s.err
}

func (s *sweep) withWorkingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, set := ctx.Deadline()
	if !set {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, end.Add(-saving), ErrDeadline)
}

// maxServers bounds the servers of one pair of places.
const maxServers = 10_000

// findServers lists the names in both places, and begins with the one that the
// last run did not finish.
func (s *sweep) findServers(ctx context.Context, first string) error {
	names := map[string]bool{}
	for _, place := range []bucket.Bucket{s.Vault, s.Staging} {
		for name, err := range place.Dirs(ctx, "") {
			if err != nil {
				return err
			}
			if layout.CheckServer(name) == nil && len(names) < maxServers {
				names[name] = true
			}
		}
	}
	for name := range names {
		s.servers = append(s.servers, &swept{name: name})
	}
	slices.SortFunc(s.servers, func(a, b *swept) int { return strings.Compare(a.name, b.name) })
	if at := slices.IndexFunc(s.servers, func(v *swept) bool { return v.name >= first }); at > 0 {
		s.servers = slices.Concat(s.servers[at:], s.servers[:at])
	}
	s.report.Servers = len(s.servers)
	return nil
}

// takeTurns works until nothing is due any more, or time or requests are used
// up. At first each look is held to its share; then what needs more has its
// turn.
func (s *sweep) takeTurns(ctx context.Context) {
	for _, share := range []int64{s.limits.perBackup, s.limits.requests} {
		for ctx.Err() == nil && s.meter.used.Load() < s.limits.requests {
			var next *swept
			for _, server := range s.servers {
				if server.ready() && (next == nil || server.spent < next.spent) {
					next = server
				}
			}
			if next == nil {
				break
			}
			before := s.meter.used.Load()
			s.meter.limit = min(before+share, s.limits.requests)
			id, err := next.turn(ctx, s)
			next.spent += s.meter.used.Load() - before
			switch {
			case err == nil:
			case errors.Is(err, errSpent) || ctx.Err() != nil:
				next.putOff(id)
			default:
				s.fail(next, id, err)
			}
		}
		if share == s.limits.perBackup {
			for _, server := range s.servers {
				server.again()
			}
		}
	}
}

// fail notes an error, and goes on.
func (s *sweep) fail(server *swept, id string, err error) {
	if err == nil {
		return
	}
	s.report.Failed++
	s.log().Error("the sweep could not look", "server", server.name, "backup_id", id, "error", err)
	if s.err == nil {
		s.err = fmt.Errorf("%s of %s: %w", id, server.name, err)
	}
}
