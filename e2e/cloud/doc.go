// Package cloud holds the words in which tests speak of a local cloud, whichever it is: who asks, what is asked of the
// store, what goes wrong, what was asked so far, and how an event reaches a function. localaws, localgcp and localazure
// are such clouds; package clouds runs the built functions in them.
package cloud

import (
	"context"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
)

// The identities that every local cloud has.
const (
	Host       = "host"       // the database host: creates, never seals
	Finalizer  = "finalizer"  // the function: seals
	Restore    = "restore"    // reads
	Operator   = "operator"   // reads, and keeps backups (barman-cloud-backup-keep)
	Breakglass = "breakglass" // may do anything but break a lock
)

// Config is what a story asks of a local cloud.
type Config struct {
	Prefix string // below which pgseal works in both places; "" is none
	Server string // the one that the host may write for; "" is every server
	// VaultRetention is the vault's own retention, put on whatever is stored there; 0 is a vault that locks, as far as
	// the cloud can lock, only what asks for it.
	VaultRetention time.Duration
	// HostMaySetRetention lets the host choose the lock of what it creates.
	HostMaySetRetention bool
}

// Right is what Deny takes away.
type Right string

// The rights. Where a cloud has one right for two of them, both go.
const (
	ToRead         Right = "read objects"
	ToReadVersions Right = "read versions that are not the current one"
	ToList         Right = "list"
	ToListVersions Right = "list versions"
	ToCreate       Right = "create objects"
	ToSeeRetention Right = "see retention"
)

// Store is the storage side of a local cloud: a vault and a staging place, and everything a test does behind their
// users' backs.
type Store interface {
	// Name is "aws", "gcp" or "azure".
	Name() string
	// VaultURL and StagingURL are the places as users write them, with the prefix.
	VaultURL() string
	StagingURL() string
	// VaultName and StagingName are the buckets or containers as Request and Event name them.
	VaultName() string
	StagingName() string
	// Root is the prefix in both with its trailing slash, or "".
	Root() string
	// Keeps is what an overwrite meets in the locked vault.
	Keeps() buckettest.Keeps

	// Env makes a process act as somebody: NAME=value pairs for pgseal, the function, and stock barman-cloud.
	Env(who string) []string
	// Open opens a place as somebody, in this process.
	Open(ctx context.Context, who, url string) (bucket.Bucket, error)
	// Deny takes a right on a bucket's keys that match the pattern (* and ?; as the store knows them, with the prefix)
	// from somebody, until restore is called.
	Deny(who string, right Right, bucket, pattern string) (restore func(), err error)

	// Overwrite writes over a key, whatever lock is on it: what a store does that does not keep its word, or whose lock
	// was lifted. Where a locked store makes a version of it by itself, it is a plain write.
	Overwrite(ctx context.Context, bucket, key string, body []byte) error
	// Remove deletes one version of a key, or with version "" the key as a plain delete does, whatever lock is on it. It
	// gives the version of a delete marker that was made, or "".
	Remove(ctx context.Context, bucket, key, version string) (string, error)
	// OpenUploads lists the keys of unfinished uploads in both places.
	OpenUploads(ctx context.Context) ([]string, error)

	// Faulty is the table of faults.
	Faulty() *Faults
	// Requests are those that have ended since the start or the last ForgetRequests, in the order of their ends, as far
	// as they pass all filters.
	Requests(filters ...func(Request) bool) []Request
	ForgetRequests()

	// Created calls deliver for every object that is created in the bucket below the prefix, one after the other in the
	// order of the requests' ends, until cancel.
	Created(bucket, prefix string, deliver func(Event)) (cancel func())
	Close()
}

// Event is the creation of an object, before a platform has given it a shape.
type Event struct {
	Bucket, Key string
	Record      any // the cloud's own
}

// Way is how an event reaches a function: "directly from S3", "through SQS".
type Way string

// Function is a deployed finalizer.
type Function interface {
	// Deliver hands the events over in one call, as they come by that way. An error means that the platform would
	// deliver again; what the function said of it is in Logs.
	Deliver(ctx context.Context, way Way, events ...Event) error
	// Kill ends every instance in the middle of whatever it does. The next delivery starts a new one.
	Kill()
	// Starts is how many instances have been started so far.
	Starts() int
	// SetTimeout changes the time that the platform gives to deliveries that begin later.
	SetTimeout(time.Duration)
	// Logs is everything that the function has written.
	Logs() string
	Close()
}
