package bucket

import (
	"context"
	"iter"
	"time"
)

// Inspector is what a look at a live deployment ("pgseal doctor") asks of a
// store besides. Every driver is one; the finalizer and the uploader ask for
// nothing of it, so that their programs do not even hold the code.
type Inspector interface {
	Bucket

	// Try asks for what a host must not be able to do in a vault, by a request
	// that cannot store, replace, delete or change anything even where all is
	// allowed: it contradicts itself, and the store refuses it as soon as it has
	// looked at the rights. Each driver says of each of its requests why.
	//
	// nil: the credentials may do it. ErrDenied: they may not. ErrRetained: the
	// lock refuses it, whoever asks. ErrNotFound: this store decides about an
	// overwrite by what is there, and nothing is. ErrInvalid: it cannot be tried
	// here; the code of the error says why, and who can do it.
	Try(ctx context.Context, a Attempt, key string) error

	// Clock is the store's time, as its answer to a small question says; to the
	// second. It is told by a refusal as well.
	Clock(ctx context.Context) (time.Time, error)

	// Expiry is after how long a lifecycle rule of the store deletes whatever is
	// put here, by the earliest rule that covers the whole place; 0: there is no
	// such rule. ErrDenied and ErrInvalid: it cannot be seen, which is never the
	// same as "none".
	Expiry(ctx context.Context) (time.Duration, error)

	// Unfinished yields the uploads of several requests below prefix that nobody
	// has completed or ended, as far as the store keeps them until somebody does:
	// Key, and Created for their beginning. After an error it stops.
	Unfinished(ctx context.Context, prefix string) iter.Seq2[Object, error]
}

// Attempt is something to Try. The key is that of the object; for the last
// three, which are about the place, it is not looked at.
type Attempt string

// The attempts.
const (
	ToCreate          Attempt = "create an object"
	ToOverwrite       Attempt = "overwrite an object"
	ToDelete          Attempt = "delete an object"
	ToChangeLock      Attempt = "change the lock"
	ToChangeVersions  Attempt = "change the versioning"
	ToChangeLifecycle Attempt = "change the lifecycle rules"
)
