package bucket

import "context"

// Remover is the deleting side of a place, for "pgseal backup-delete" and
// "backup-keep" alone. It is no part of Bucket, and no driver's Bucket is one:
// whoever holds a Bucket cannot come to it. Each driver's function Remover makes
// one, and a test names the only callers.
//
// What is locked stays: no request asks for a lock to be lifted, bypassed or
// shortened.
type Remover interface {
	// Removable tells, without changing anything, whether the store would let this
	// version go now: nil, or as far as that can be seen. ErrRetained: a retention
	// or a hold keeps it; the code says until when. ErrDenied: its lock cannot be
	// seen. ErrNotFound: it is gone.
	Removable(ctx context.Context, o Object) error

	// Remove deletes for good exactly what o describes, as a listing has shown it:
	// that version, and where the store has no versions, only if the bytes are
	// still those of the ETag (ErrDiffers otherwise). It never leaves a delete
	// marker; to remove one shows again what it hides. ErrRetained: it is kept, and
	// is unchanged. ErrNotFound, or nil where the store does not tell: it is gone.
	Remove(ctx context.Context, o Object) error

	// Hide puts a delete marker over key, where a store keeps versions. ErrInvalid:
	// here is nothing that could be hidden, only removed.
	Hide(ctx context.Context, key string) error
}
