// Package bucket says what pgseal asks of an object store, and how a store's
// refusals are told apart. Drivers live in the folders below it; each passes
// the suite in buckettest unchanged.
package bucket

import (
	"context"
	"io"
	"iter"
	"time"
)

// Bucket is one place in one store: a bucket or container, and a prefix in it.
// Keys are relative to that prefix, use '/' and never begin with it.
//
// All methods may be called from several goroutines. Every error but a
// cancelled context's wraps an *Error that names the key, the store's own code
// and one of the kinds in errors.go.
type Bucket interface {
	// URL names the place as users write it, without a trailing slash.
	URL() string

	// Create stores all of r under key if, at that moment, nothing stands
	// there, in one atomic step that the store itself decides. Of any number of
	// racing calls at most one succeeds. The store verifies a checksum of what
	// it received. It never leaves a part of r behind: a failed or cancelled
	// call aborts what it had open.
	//
	// ErrExists or ErrRetained: something stands there; it may be what an
	// earlier try of this very call stored, so callers compare (see
	// CreateOrMatch and CreateStream) before they believe either way.
	//
	// The returned Object carries the size, version, ETag and checksum that the
	// store reports.
	Create(ctx context.Context, key string, r io.Reader, o CreateOptions) (Object, error)

	// Put stores body under key and replaces what stood there. Only staging is
	// ever written so.
	Put(ctx context.Context, key string, body []byte) (Object, error)

	// Open reads length bytes from offset of one version of key; version ""
	// means the current one, length -1 means to the end. A range past the end
	// yields what is there. ErrNotFound: no such key or version, or the current
	// version is a delete marker. The Object describes the whole object.
	Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, Object, error)

	// Stat describes one version of key with all that the store knows: checksum,
	// metadata, retention. version "" means the current one. ErrNotFound as Open.
	Stat(ctx context.Context, key, version string) (Object, error)

	// List yields the current objects whose keys begin with prefix, in the
	// order of their keys (UTF-8 bytes), page by page; breaking off the loop
	// asks for no further page. Checksum, metadata and retention are filled in
	// only as far as the store's listing has them. After an error it stops.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]

	// ListVersions is List with every version of each key, newest first, and
	// delete markers. Stores without versions yield what List yields.
	ListVersions(ctx context.Context, prefix string) iter.Seq2[Object, error]

	// Dirs yields the names directly below prefix (which is empty or ends with
	// '/') that have keys below them, without slashes, in the order of the keys
	// (so that "a-b" comes before "a", as "a-b/" does before "a/").
	Dirs(ctx context.Context, prefix string) iter.Seq2[string, error]

	// Retain extends the retention of one version of key until the given time.
	// A time before the present end is ErrRetained, the object unchanged.
	Retain(ctx context.Context, key, version string, until time.Time) error

	// Lock describes the lock that the store puts on new objects here.
	Lock(ctx context.Context) (Lock, error)

	// CheckCreate proves, without storing anything, that these credentials may
	// create key: ErrDenied or ErrNotFound (no such bucket) when they may not.
	CheckCreate(ctx context.Context, key string) error
}

// CreateOptions go with Create. The zero value means: unknown size, the
// driver's own part size, the bucket's own retention.
type CreateOptions struct {
	// PartSize is the number of bytes sent in one request when the body is
	// longer than that. Each part in flight is held in memory.
	PartSize int64
	// PartsInFlight bounds the parts that are sent, or read to be sent, at the
	// same time; 0 means 2.
	PartsInFlight int
	// SingleShot refuses bodies longer than PartSize with ErrTooLarge instead of
	// sending parts: the object is made by exactly one request.
	SingleShot bool
	// RetainUntil locks the object at its creation until that time; zero leaves
	// it to the bucket's default. In a place without a lock, or in the past, it
	// is ErrInvalid and nothing is stored.
	RetainUntil time.Time
	// Metadata is kept with the object; keys are lower case letters and '-'.
	Metadata map[string]string
	// Tags are the store's own tags where it has them.
	Tags map[string]string
}

// Object is one version of one key, as the store reports it. A zero field
// means "not reported" unless it says otherwise.
type Object struct {
	Key     string
	Size    int64
	Version string // S3 version id, GCS generation, Azure version id; "" where the store keeps none
	ETag    string // unquoted

	// CRC32C is the checksum of all the bytes (Castagnoli), eight hex digits in
	// the usual big-endian order, as the store verified or computed it.
	CRC32C string

	Class      string // storage class or tier; "" is the store's standard
	Encryption string // as the store names it ("aws:kms:<key>" on S3); "" is the store's default
	Created    time.Time

	// RetainUntil is the end of the object's retention. RetentionSeen tells
	// whether the answer could have shown one: false means "cannot see", which
	// is never the same as "not locked".
	RetainUntil   time.Time
	RetentionSeen bool

	Latest       bool // the current version of its key
	DeleteMarker bool // S3: hides the versions below it
	Metadata     map[string]string
}

// Lock is what a store does with new objects by itself.
type Lock struct {
	Enabled    bool          // objects can be locked here at all
	Mode       string        // the store's word: COMPLIANCE, GOVERNANCE, locked, unlocked
	Default    time.Duration // retention every new object gets; 0: none
	Versioning bool          // an overwrite makes a new version
}
