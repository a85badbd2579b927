package finalizer

import (
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

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
