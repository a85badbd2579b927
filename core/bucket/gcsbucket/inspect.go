package gcsbucket

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
)

var _ bucket.Inspector = (*Bucket)(nil)

// Try asks for what a host must not be able to do. GCS looks at the rights, and
// what follows then cannot be obeyed:
//
//   - to create: an upload session that is cancelled before it has a byte, see
//     CheckCreate;
//   - to delete: the generation 1 of the object, under the condition that its
//     generation is 1. Generations are times in microseconds: none is 1
//     ("Objects: delete" and "Preconditions", 2026-11: 404 or 412);
//   - to overwrite: the same, as replacing an object takes storage.objects.delete
//     on it besides the right to create ("IAM permissions for JSON methods",
//     2026-11);
//   - to change the bucket: a patch that patches nothing, under the condition that
//     its metageneration is 0; they begin with 1 ("Buckets: patch", 2026-11: 412).
//     One right, storage.buckets.update, is for lock, versioning and lifecycle.
func (b *Bucket) Try(ctx context.Context, a bucket.Attempt, key string) error {
	at := "/storage/v1/b/" + url.PathEscape(b.bucket)
	switch a {
	case bucket.ToCreate:
		return b.CheckCreate(ctx, key)
	case bucket.ToDelete, bucket.ToOverwrite:
		return b.tried(ctx, key, http.MethodDelete, at+"/o/"+url.PathEscape(b.prefix+key)+"?generation=1&ifGenerationMatch=1", "")
	case bucket.ToChangeLock, bucket.ToChangeVersions, bucket.ToChangeLifecycle:
		return b.tried(ctx, "", http.MethodPatch, at+"?ifMetagenerationMatch=0", "{}")
	}
	return b.refuse("try", key, bucket.ErrInvalid, "this driver cannot "+string(a))
}

// tried sends a request that cannot be obeyed, and makes the answer one of those
// that Try promises.
func (b *Bucket) tried(ctx context.Context, key, method, at, body string) error {
	c, err := b.connected(ctx)
	if err != nil {
		return b.fail(ctx, "try", key, err)
	}
	err = b.try(ctx, func() error {
		r, err := http.NewRequestWithContext(ctx, method, c.root+at, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		return c.send(r)
	})
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		_, message := told(answer)
		if answer.Code == http.StatusPreconditionFailed || answer.Code == http.StatusNotFound && !strings.Contains(message, "bucket does not exist") {
			return nil
		}
	}
	if err != nil {
		return b.fail(ctx, "try", key, err)
	}
	return nil
}

// Clock asks for the bucket's name, and takes the time of the answer.
func (b *Bucket) Clock(ctx context.Context) (time.Time, error) {
	c, err := b.connected(ctx)
	if err != nil {
		return time.Time{}, b.fail(ctx, "read the clock of", "", err)
	}
	var now time.Time
	err = b.try(ctx, func() error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.root+"/storage/v1/b/"+url.PathEscape(b.bucket)+"?fields=name", http.NoBody)
		if err != nil {
			return err
		}
		res, err := c.http.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode == http.StatusNotFound || bucket.Retryable(kind(res.StatusCode, "", "")) {
			return googleapi.CheckResponse(res)
		}
		now, err = http.ParseTime(res.Header.Get("Date"))
		return err
	})
	if err != nil {
		return time.Time{}, b.fail(ctx, "read the clock of", "", err)
	}
	return now, nil
}

// Expiry looks at the bucket's lifecycle rules, which takes storage.buckets.get.
// A rule counts that deletes by age alone.
func (b *Bucket) Expiry(ctx context.Context) (time.Duration, error) {
	c, err := b.connected(ctx)
	if err != nil {
		return 0, b.fail(ctx, "read the lifecycle of", "", err)
	}
	a, err := c.bucket.Attrs(ctx)
	if err != nil {
		return 0, b.fail(ctx, "read the lifecycle of", "", err)
	}
	days := int64(0)
	for _, r := range a.Lifecycle.Rules {
		if r.Action.Type != storage.DeleteAction || !b.covered(r.Condition) {
			continue
		}
		if d := r.Condition.AgeInDays; d > 0 && (days == 0 || d < days) {
			days = d
		}
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

// covered tells whether a condition asks for nothing but age and, if at all, for
// names that everything here has.
func (b *Bucket) covered(c storage.LifecycleCondition) bool {
	covers := len(c.MatchesPrefix) == 0
	for _, prefix := range c.MatchesPrefix {
		covers = covers || strings.HasPrefix(b.prefix, prefix)
	}
	return covers && len(c.MatchesSuffix)+len(c.MatchesStorageClasses) == 0 && c.Liveness != storage.Archived &&
		c.CreatedBefore.IsZero() && c.CustomTimeBefore.IsZero() && c.NoncurrentTimeBefore.IsZero() &&
		c.DaysSinceCustomTime+c.DaysSinceNoncurrentTime+c.NumNewerVersions == 0
}

// Unfinished yields nothing: GCS lists no upload sessions, and ends them by itself
// after a week.
func (b *Bucket) Unfinished(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if ctx.Err() != nil {
			yield(bucket.Object{}, b.fail(ctx, "list the uploads of", prefix, ctx.Err()))
		}
	}
}
