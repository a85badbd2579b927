package azurebucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/pgseal/pgseal/core/bucket"
)

// containerLock is what the store tells its readers and writers of a
// container's lock (Get Container Properties): that there is a policy or a hold,
// and neither its period nor its state. Azure counts a policy's period from each
// blob's creation ("Time-based retention policies for immutable blob data",
// 2026-11).
type containerLock struct {
	policy     bool          // a time-based policy of the whole container
	hold       bool          // a legal hold of the whole container: no end, and may be lifted at any time
	perVersion bool          // version-level immutability: every version has, or has not, a policy of its own
	hidden     bool          // the caller may not see the container's properties
	period     time.Duration // of the policy, as its operator states it; 0: nobody said
}

func (b *Bucket) containerLock(ctx context.Context) (containerLock, error) {
	out, err := b.client.GetProperties(ctx, nil)
	if err != nil {
		return containerLock{}, err
	}
	l := containerLock{
		policy: deref(out.HasImmutabilityPolicy), hold: deref(out.HasLegalHold),
		perVersion: deref(out.IsImmutableStorageWithVersioningEnabled), period: b.period,
	}
	if l.perVersion { // what the container has then is a default, and stands on each version
		l.policy = false
	}
	return l, nil
}

// seenLock is containerLock for those who want to show objects: a caller who may
// not see the lock still sees these.
func (b *Bucket) seenLock(ctx context.Context, op, key string) (containerLock, error) {
	l, err := b.containerLock(ctx)
	if err == nil {
		return l, nil
	}
	if err = b.fail(ctx, op, key, err); errors.Is(err, bucket.ErrDenied) {
		return containerLock{hidden: true}, nil
	}
	return containerLock{}, err
}

// show fills in an object's retention. until is the version's own policy. A legal
// hold is no retention. What a container's policy keeps is computed from what its
// operator states; when nobody stated it, it cannot be seen, which is never the
// same as "not locked".
func (l containerLock) show(o *bucket.Object, until *time.Time) {
	switch {
	case until != nil:
		o.RetainUntil, o.RetentionSeen = *until, true
	case l.hidden, l.policy && (l.period == 0 || o.Created.IsZero()):
		o.RetentionSeen = false
	case l.policy:
		o.RetainUntil, o.RetentionSeen = o.Created.Add(l.period), true
	default:
		o.RetentionSeen = true
	}
}

// ownPolicy is the end of a version's own policy. One that is Mutable holds
// nothing ("Get Blob Properties" in the REST reference, 2026-11).
func ownPolicy(until *time.Time, mode *blob.ImmutabilityPolicyMode) *time.Time {
	if deref(mode) == blob.ImmutabilityPolicyModeMutable {
		return nil
	}
	return until
}

// lockFor tells how a create that asks for retention until then gets it.
func (b *Bucket) lockFor(ctx context.Context, key string, until time.Time) (expiry, error) {
	if until.IsZero() {
		return expiry{}, nil
	}
	l, err := b.containerLock(ctx)
	if err != nil {
		return expiry{}, b.fail(ctx, "create", key, err)
	}
	now := time.Now()
	switch {
	case until.Before(now):
		return expiry{}, b.refuse("create", key, bucket.ErrInvalid, "retention until "+stamp(until)+", which is past")
	case l.perVersion:
		return expiry{until: to.Ptr(until.UTC()), mode: to.Ptr(b.lockMode)}, nil
	}
	if why := l.cannotGive(until, now); why != "" {
		return expiry{}, b.refuse("create", key, bucket.ErrInvalid, why)
	}
	return expiry{}, nil
}

// cannotGive tells why the container's own lock does not keep a blob that was
// created then until the given time.
func (l containerLock) cannotGive(until, created time.Time) string {
	switch {
	case !l.policy && l.hold:
		return "the container has a legal hold, which has no end, and no retention policy: ask for no retention"
	case !l.policy:
		return "the container has no retention policy"
	case l.period == 0:
		return "Azure gives every blob of the container the policy's own period, and does not tell which: state it in " + EnvRetention + ", or ask for no retention"
	case until.After(created.Add(l.period)):
		return fmt.Sprintf("the container's policy keeps a blob for %s, until %s, and Azure has no longer ends for single blobs there: extend the policy, or ask for less than %s", l.period, stamp(created.Add(l.period)), stamp(until))
	}
	return ""
}

// Retain extends the policy of one version, in the mode it has, where the
// container has version-level immutability. A container's policy cannot be extended for one blob: an end that
// it covers changes nothing, a later one is ErrInvalid.
func (b *Bucket) Retain(ctx context.Context, key, version string, until time.Time) error {
	obj, own, err := b.stat(ctx, key, version)
	if err != nil {
		return err
	}
	l, err := b.containerLock(ctx)
	if err != nil {
		return b.fail(ctx, "retain", key, err)
	}
	l.show(&obj, own.until)
	switch {
	case until.Before(obj.RetainUntil):
		return b.refuse("retain", key, bucket.ErrRetained, "until "+stamp(obj.RetainUntil)+", which is later than asked")
	case !l.perVersion:
		if why := l.cannotGive(until, obj.Created); why != "" {
			return b.refuse("retain", key, bucket.ErrInvalid, why)
		}
		return nil
	}
	client, err := b.blob(key, obj.Version)
	if err != nil {
		return err
	}
	mode := own.mode
	if deref(mode) == "" {
		mode = to.Ptr(b.lockMode)
	}
	if _, err := client.SetImmutabilityPolicy(ctx, until.UTC(), &blob.SetImmutabilityPolicyOptions{Mode: mode}); err != nil {
		return b.failRead(ctx, "retain", key, version, err)
	}
	return nil
}

// Lock asks for the container's lock. Whether its policy is locked against
// removal, Azure does not tell here; Default is what its operator states.
func (b *Bucket) Lock(ctx context.Context) (bucket.Lock, error) {
	l, err := b.containerLock(ctx)
	if err != nil {
		return bucket.Lock{}, b.fail(ctx, "read the lock of", "", err)
	}
	lock := bucket.Lock{Enabled: l.policy || l.hold || l.perVersion, Versioning: l.perVersion}
	switch {
	case l.policy:
		lock.Mode, lock.Default = "container policy", l.period
	case l.perVersion:
		lock.Mode = "version-level"
	case l.hold:
		lock.Mode = "legal hold"
	}
	return lock, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
