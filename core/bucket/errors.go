package bucket

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The kinds of refusal. Every driver maps its store's codes to these and to
// nothing else; test with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	// ErrExists: the conditional create found something there.
	ErrExists = errors.New("already exists")
	// ErrRetained: refused because the object is under retention or a hold. On
	// a create it also means that something is there.
	ErrRetained = errors.New("under retention")
	// ErrDenied: the credentials do not allow it. Trying again does not help.
	ErrDenied = errors.New("access denied")
	// ErrThrottled: the store asks to slow down.
	ErrThrottled = errors.New("throttled")
	// ErrUnavailable: the store failed, a race was undecided (S3's 409), or no
	// answer came. What was asked may have happened.
	ErrUnavailable = errors.New("store unavailable")
	// ErrInvalid: the request itself was refused (a bad checksum, a bad name).
	ErrInvalid = errors.New("refused as invalid")

	// ErrTooLarge: the object is longer than the reader allows, or the body
	// longer than one request may carry.
	ErrTooLarge = errors.New("larger than allowed")
	// ErrDiffers: the key holds other bytes than the ones to be stored.
	ErrDiffers = errors.New("holds other bytes")
)

// Error is a store's refusal of one request.
type Error struct {
	Op   string // what was tried: "create", "read", "list", ...
	Key  string // the object, as a URL or a key
	Code string // the store's own words: "412 PreconditionFailed"
	Kind error  // one of the kinds above
	Err  error  // what the driver or SDK said; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %v", e.Op, e.Key, e.Kind)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	} else if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap lets errors.Is find both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Retryable tells whether the same request may succeed later without anybody
// changing anything.
func Retryable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false // somebody gave up on purpose
	}
	return errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnavailable) ||
		errors.Is(err, context.DeadlineExceeded)
}

// Exists tells whether a create was refused because something stands there.
// That is no verdict on what stands there: compare.
func Exists(err error) bool {
	return errors.Is(err, ErrExists) || errors.Is(err, ErrRetained)
}
