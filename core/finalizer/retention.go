package finalizer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// checkRetention holds an object's lock against what the uploader asked for all
// of the set and what the operator asks for any object, counted from the
// object's own creation. ErrCannotSee when the store would not show it.
func (c *call) checkRetention(obj bucket.Object) (Reason, error) {
	var need time.Time
	if c.manifest.RetainUntil != nil {
		need = *c.manifest.RetainUntil
	}
	created := obj.Created
	if created.IsZero() {
		created = c.manifestObject.Created
	}
	if least := created.Add(c.Config.MinRetention); c.Config.MinRetention > 0 && least.After(need) {
		need = least
	}
	switch {
	case need.IsZero():
		return Reason{}, nil
	case !obj.RetentionSeen:
		return Reason{}, fmt.Errorf("%s: %w", obj.Key, ErrCannotSee)
	case obj.RetainUntil.IsZero():
		return reason("unlocked", obj.Key, "it is not locked, and should be until %s", stamp(need)), nil
	case obj.RetainUntil.Before(need.Add(-time.Second)): // stores keep whole seconds
		return reason("retention", obj.Key, "it is locked until %s, and should be until %s", stamp(obj.RetainUntil), stamp(need)), nil
	}
	return Reason{}, nil
}

// sealUntil is the end of the lock that the seal asks for; zero leaves it to
// the bucket.
func (c *call) sealUntil() time.Time {
	var until time.Time
	if c.manifest.RetainUntil != nil {
		until = *c.manifest.RetainUntil
	}
	if c.Config.SealRetention > 0 {
		if end := c.extendUntil(); end.After(until) {
			until = end
		}
	}
	return until
}

// extendUntil counts from the manifest's creation, so that every call asks for
// the same.
func (c *call) extendUntil() time.Time {
	return c.manifestObject.Created.Add(c.Config.SealRetention + time.Second).UTC().Truncate(time.Second)
}

// extend makes the locks of all that the backup needs last as long as
// Config.SealRetention asks, and judges the retention anew. It comes before the
// seal: a seal over locks that are too short is worse than long locks without
// one.
func (c *call) extend(ctx context.Context, set *setReport, wal *walReport) error {
	until := c.extendUntil()
	all := append(append([]bucket.Object{}, set.objects...), wal.objects...)
	err := each(ctx, len(all), func(ctx context.Context, i int) error {
		if !all[i].RetainUntil.Before(until) {
			return nil
		}
		err := c.Vault.Retain(ctx, all[i].Key, all[i].Version, until)
		if err != nil && !errors.Is(err, bucket.ErrRetained) { // that one lasts longer by now
			return fmt.Errorf("extend the lock: %w", err)
		}
		all[i].RetainUntil, all[i].RetentionSeen = until, true
		return nil
	})
	if err != nil {
		return err
	}
	set.retention, set.until, wal.retention, wal.until = nil, nil, nil, nil
	for i, obj := range all {
		problem, err := c.checkRetention(obj)
		if err != nil {
			return err
		}
		reasons, ends := &set.retention, &set.until
		if i >= len(set.objects) {
			reasons, ends = &wal.retention, &wal.until
		}
		if problem.Code != "" {
			*reasons = append(*reasons, problem)
		}
		*ends = append(*ends, obj.RetainUntil)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
