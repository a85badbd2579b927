package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/postgres"
)

// run is one backup under way.
type run struct {
	Config
	began   time.Time
	session *postgres.Session
	facts   postgres.Facts
	id      string // "" until claimed
	mark    string // the claim's comment in the record

	start   postgres.StartInfo
	stop    postgres.StopInfo
	copied  time.Duration
	corrupt int64 // pages that failed their checksums

	uploading bool // for the words of a failure
	complete  bool // the manifest is in the vault: the backup can no longer fail
}

// Error is a backup that failed after it had its id; staging has its record.
type Error struct {
	ID  string
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("backup %s failed: %v", e.ID, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Run takes the backup. When it returns without an error, the whole set is in
// the vault and the marker in staging. An error after the id was claimed is an
// *Error. A cancelled ctx ends the backup with the context's cause.
func Run(ctx context.Context, c Config) (Result, error) {
	if c.Progress == nil {
		c.Progress = &Progress{}
	}
	r := &run{Config: c, began: c.Now()}
	res, err := r.run(ctx)
	switch {
	case err == nil:
		return res, nil
	case r.id == "":
		return Result{}, err
	case !r.complete:
		r.recordFailure(ctx, err)
	}
	return Result{}, &Error{ID: r.id, Err: err}
}

func (r *run) run(ctx context.Context) (res Result, err error) {
	defer func() {
		if ctx.Err() != nil && err != nil { // say why it ended, not what broke in consequence
			err = context.Cause(ctx)
		}
	}()
	if err := r.CheckStores(ctx); err != nil {
		return Result{}, err
	}
	if r.session, err = postgres.Connect(ctx, r.Postgres); err != nil {
		return Result{}, err
	}
	defer func() {
		if err := r.session.Close(); err != nil {
			r.Log.Warn("the session did not end in order; PostgreSQL ends its backup with it", "error", err)
		}
	}()
	if err := r.checkServer(ctx); err != nil {
		return Result{}, err
	}
	if err := r.claim(ctx); err != nil {
		return Result{}, err
	}
	r.Log = r.Log.With("server", r.Server, "backup_id", r.id)
	defer r.heartbeat(ctx)()
	objects, err := r.takeAll(ctx)
	if err != nil {
		return Result{}, err
	}
	return r.completeSet(ctx, objects)
}

// checkServer asks PostgreSQL everything that can be wrong before the first
// byte.
func (r *run) checkServer(ctx context.Context) (err error) {
	if r.facts, err = r.session.Facts(ctx); err != nil {
		return err
	}
	if r.CheckWAL {
		if err := r.facts.CheckArchiving(); err != nil {
			return fmt.Errorf("%w (where WAL is kept by other means: PGSEAL_WAL_CHECK=off, here and at the finalizer)", err)
		}
	}
	if r.facts.InRecovery && r.Primary != "" { // once before the first byte, and once when it is needed
		p, err := postgres.ConnectPrimary(ctx, r.Primary, r.facts)
		if err != nil {
			return err
		}
		p.Close()
	}
	return r.session.SameServer(ctx, r.facts, r.facts.DataDirectory)
}

// switchPrimary has an idle primary archive the last segment that the backup of
// its standby needs. The backup is complete without it, and only waits longer.
func (r *run) switchPrimary(ctx context.Context) {
	if !r.facts.InRecovery || r.Primary == "" {
		return
	}
	p, err := postgres.ConnectPrimary(ctx, r.Primary, r.facts)
	if err == nil {
		defer p.Close()
		var switched bool
		if switched, err = p.Switch(ctx, r.stop.LSN, r.facts.WALSegmentSize, "pgseal backup "+r.id); switched {
			r.Log.Info("the primary has ended its WAL segment")
		}
	}
	if err != nil {
		r.Log.Warn("the primary does not end its WAL segment now; the backup is sealed when the segment is archived", "error", err)
	}
}

// takeAll starts the backup, copies everything, and stops it.
func (r *run) takeAll(ctx context.Context) ([]manifest.Object, error) {
	alive, done := r.session.KeepAlive(ctx, postgres.KeepAliveInterval)
	defer done()
	r.Log.Info("backup begins", "data_directory", r.facts.DataDirectory, "postgresql", r.facts.Version, "standby", r.facts.InRecovery, "data_checksums", r.facts.DataChecksums)
	c, err := r.startCopy(alive)
	if err == nil {
		err = r.copyAll(alive, c)
	}
	var control []byte
	if err == nil {
		control, err = r.stopCopy(alive, c)
	}
	if alive.Err() != nil && r.stop.Label == "" {
		return nil, context.Cause(alive)
	}
	if err != nil {
		return nil, err
	}
	r.corrupt = c.corrupt
	// The label is in hand: a session that is lost from here on loses nothing.
	if err := r.storeLast(ctx, c, control); err != nil {
		return nil, err
	}
	r.switchPrimary(ctx)
	return c.objects, nil
}

// startCopy starts the backup in PostgreSQL and finds out what there is to copy.
func (r *run) startCopy(ctx context.Context) (_ *copier, err error) {
	if r.start, err = r.session.Start(ctx, "pgseal backup "+r.id, r.Fast); err != nil {
		return nil, err
	}
	r.facts.Timeline = r.start.Timeline
	if err := postgres.CheckStarted(r.start, r.facts.DataDirectory); err != nil {
		return nil, err
	}
	// The list that counts is the one after the start: a tablespace that is made
	// later comes back by WAL replay.
	if r.facts.Tablespaces, err = r.session.Tablespaces(ctx); err != nil {
		return nil, err
	}
	if err := r.checkFacts(); err != nil {
		return nil, err
	}
	if err := r.record(ctx, backupinfo.Started, ""); err != nil {
		return nil, err
	}
	plan, err := pgdata.NewPlan(r.facts.PlanOptions())
	if err != nil {
		return nil, err
	}
	for _, w := range plan.Warnings {
		r.Log.Warn(w)
	}
	totals, err := plan.Survey(ctx)
	if err != nil {
		return nil, err
	}
	r.Progress.Total.Store(totals.Bytes)
	r.Log.Info("backup started in PostgreSQL", "lsn", r.start.LSN, "files", totals.Files, "bytes", totals.Bytes)
	return r.newCopier(plan), nil
}

func (r *run) copyAll(ctx context.Context, c *copier) error {
	r.uploading = true
	began := r.Now()
	r.Progress.Copying.Store(true)
	err := c.copyAll(ctx)
	r.Progress.Copying.Store(false)
	r.copied = r.Now().Sub(began)
	return err
}
