package finalizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Abandoned is what the sweep says of an upload that has given no sign of life
// for as long as Config.AbandonAfter. It stands in a SweepRecord, never in a
// verdict, and a manifest that turns up after all makes it void.
const Abandoned State = "abandoned"

// SweepRecord is what the sweep found of one backup, kept in staging beside the
// verdict, which it never changes.
type SweepRecord struct {
	Format    int        `json:"format"` // 1
	Server    string     `json:"server"`
	BackupID  string     `json:"backup_id"`
	State     State      `json:"state,omitempty"` // abandoned, or nothing
	Heartbeat *time.Time `json:"heartbeat,omitempty"`
	Findings  []Reason   `json:"findings,omitempty"` // of a sealed backup, at its last audit
	At        time.Time  `json:"at"`                 // when this was first so, by the store's clock
	Build     string     `json:"build"`
}

// ReadSweepRecord reads what the sweep found of one backup. bucket.ErrNotFound
// when it found nothing worth a word.
func ReadSweepRecord(ctx context.Context, staging bucket.Bucket, server, id string) (SweepRecord, error) {
	key := layout.SweepRecord(server, id)
	body, _, err := bucket.ReadAll(ctx, staging, key, "", maxVerdict)
	if err != nil {
		return SweepRecord{}, err
	}
	var r SweepRecord
	if err := json.Unmarshal(body, &r); err != nil {
		return SweepRecord{}, fmt.Errorf("sweep record %s/%s: %w", staging.URL(), key, err)
	}
	if r.Server != server || r.BackupID != id || r.Format != 1 {
		return SweepRecord{}, fmt.Errorf("sweep record %s/%s: not on this backup, or of another format", staging.URL(), key)
	}
	return r, nil
}

// writeRecord keeps r in staging, and does not write again what stands there.
func (f *Finalizer) writeRecord(ctx context.Context, r SweepRecord) error {
	r.Format, r.At, r.Build = 1, f.Now().UTC().Truncate(time.Second), f.Build
	have, err := ReadSweepRecord(ctx, f.Staging, r.Server, r.BackupID)
	switch {
	case err == nil && sameRecord(have, r):
		return nil
	case err != nil && (bucket.Retryable(err)):
		return err
	}
	body, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode the sweep's record: %w", err)
	}
	_, err = f.Staging.Put(ctx, layout.SweepRecord(r.Server, r.BackupID), append(body, '\n'))
	return err
}

func sameRecord(a, b SweepRecord) bool {
	a.At, b.At, a.Build, b.Build = time.Time{}, time.Time{}, "", ""
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// sweepNotes is what the sweep remembers of one server, so that it does not
// look again where nothing can have changed. Nothing but time is lost with it.
type sweepNotes struct {
	Format  int              `json:"format"` // 1
	Server  string           `json:"server"`
	Backups map[string]*note `json:"backups"`
}

// note is what is remembered of one backup. Times are the store's.
type note struct {
	State State     `json:"state,omitempty"`
	Class Class     `json:"class,omitempty"`
	First time.Time `json:"first"` // of a seal: its creation; else when it was first seen
	Last  time.Time `json:"last"`  // when it was looked at
}

const (
	maxCursor   = 4 << 10
	maxNotes    = 8 << 20
	maxNoted    = 20_000 // backups of one server that are remembered
	settledFor  = 7 * 24 * time.Hour
	auditedFor  = 24 * time.Hour
	watchedFor  = time.Hour
	expectedFor = 6 * time.Hour
)

// due tells whether it is time to look again: the longer nothing has changed,
// the later, up to a limit that depends on what may still happen.
func (n *note) due(now time.Time) bool {
	limit := expectedFor
	switch {
	case n.Last.IsZero():
		return true
	case n.State == Sealed || n.State == Rejected && n.Class == ClassWAL || n.State == Abandoned:
		limit = auditedFor
	case n.State == Rejected || n.State == Conflict:
		limit = settledFor
		return !now.Before(n.Last.Add(limit))
	case n.State == Waiting:
		limit = watchedFor
	}
	return !now.Before(n.Last.Add(min(n.Last.Sub(n.First)/4, limit)))
}

func (f *Finalizer) readNotes(ctx context.Context, server string) (sweepNotes, error) {
	n := sweepNotes{}
	body, _, err := bucket.ReadAll(ctx, f.Staging, layout.SweepNotes(server), "", maxNotes)
	if err != nil && (bucket.Retryable(err) || errors.Is(err, bucket.ErrDenied)) {
		return n, err
	}
	if err != nil || json.Unmarshal(body, &n) != nil || n.Format != 1 || n.Server != server || len(n.Backups) > maxNoted {
		n = sweepNotes{}
	}
	n.Format, n.Server = 1, server
	if n.Backups == nil {
		n.Backups = map[string]*note{}
	}
	for id, kept := range n.Backups {
		if kept == nil {
			delete(n.Backups, id)
		}
	}
	return n, nil
}

func (f *Finalizer) writeNotes(ctx context.Context, n sweepNotes) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode the sweep's notes: %w", err)
	}
	_, err = f.Staging.Put(ctx, layout.SweepNotes(n.Server), append(body, '\n'))
	return err
}

// sweepCursor says where the next run begins.
type sweepCursor struct {
	Format int    `json:"format"` // 1
	Next   string `json:"next,omitempty"`
}

func (f *Finalizer) readCursor(ctx context.Context) (sweepCursor, error) {
	var c sweepCursor
	body, _, err := bucket.ReadAll(ctx, f.Staging, layout.SweepCursor, "", maxCursor)
	if err != nil && (bucket.Retryable(err) || errors.Is(err, bucket.ErrDenied)) {
		return c, err
	}
	if err != nil || json.Unmarshal(body, &c) != nil {
		c = sweepCursor{}
	}
	return c, nil
}

// writeCursor keeps the cursor, and gives the store's time.
func (f *Finalizer) writeCursor(ctx context.Context, next string) (time.Time, error) {
	body, err := json.Marshal(sweepCursor{Format: 1, Next: next})
	if err != nil {
		return time.Time{}, fmt.Errorf("encode the sweep's cursor: %w", err)
	}
	if _, err := f.Staging.Put(ctx, layout.SweepCursor, append(body, '\n')); err != nil {
		return time.Time{}, err
	}
	obj, err := f.Staging.Stat(ctx, layout.SweepCursor, "")
	return obj.Created, err
}
