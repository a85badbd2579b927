// Package finalizer judges one backup: it holds the manifest against what the
// store itself reports, looks for the WAL, and writes the one backup.info that
// says so. Finalize may be called any number of times, at once, and may die at
// any point: the next call ends the same.
package finalizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Finalizer holds what a call needs. All fields but Log are required.
type Finalizer struct {
	Vault, Staging bucket.Bucket
	Config         Config
	// Decompress gives the bytes inside r, compressed as the suffix (".gz",
	// ".lz4", ...) says; core knows no compression itself. Its errors are the
	// content's fault unless they wrap r's own.
	Decompress func(suffix string, r io.Reader) (io.ReadCloser, error)
	Now        func() time.Time
	Build      string
	Log        *slog.Logger

	limits sweepLimits // zero: defaultLimits
}

// TransientError: the store did not answer as it should, or time ran out. The
// platform should deliver the event again; nothing wrong was written.
type TransientError struct{ Err error }

func (e *TransientError) Error() string { return "try again: " + e.Err.Error() }
func (e *TransientError) Unwrap() error { return e.Err }

// AccessError: the finalizer's own rights or settings do not suffice. Nothing
// is said of the backup; somebody must look, and the event be delivered again.
type AccessError struct{ Err error }

func (e *AccessError) Error() string { return "the finalizer lacks a right: " + e.Err.Error() }
func (e *AccessError) Unwrap() error { return e.Err }

var (
	// ErrDeadline: stopped two seconds before the platform would have done it.
	ErrDeadline = errors.New("the time for one call is used up")
	// ErrCannotSee: an object's retention is not shown to the finalizer, which
	// is not the same as not being there.
	ErrCannotSee = errors.New("the retention cannot be seen: give the finalizer the right to read it")
)

// spare is what is left for the platform after the finalizer stops by itself.
const spare = 2 * time.Second

// withDeadline ends ctx before the platform ends the process.
func (f *Finalizer) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	end, set := ctx.Deadline()
	if own := time.Now().Add(f.Config.Deadline); f.Config.Deadline > 0 && (!set || own.Before(end)) {
		end, set = own, true
	}
	if !set {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, end.Add(-spare), ErrDeadline)
}

// classify turns a store's failure into the error a platform acts on.
func classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), ErrDeadline):
		return &TransientError{fmt.Errorf("%w: %w", ErrDeadline, err)}
	case errors.Is(err, bucket.ErrDenied), errors.Is(err, ErrCannotSee), errors.Is(err, bucket.ErrNotFound), errors.Is(err, bucket.ErrInvalid):
		return &AccessError{err}
	default:
		return &TransientError{err}
	}
}

func (f *Finalizer) log() *slog.Logger {
	if f.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return f.Log
}
