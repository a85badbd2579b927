package filebucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/pgseal/pgseal/core/bucket"
)

// at is the key as users see it.
func (b *Bucket) at(key string) string {
	if key == "" {
		return b.url
	}
	return b.url + "/" + key
}

// fail wraps what the operating system said into a bucket.Error of its kind.
// What is one already, cancellations, and errors of the body that was to be
// stored are no refusals of the store's and keep what they are.
func (b *Bucket) fail(op, key string, err error) error {
	var known *bucket.Error
	var body bodyError
	switch {
	case errors.As(err, &body):
		return fmt.Errorf("%s %s: reading what to store: %w", op, b.at(key), body.error)
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		if err != context.Canceled && err != context.DeadlineExceeded {
			return err // wrapped below
		}
		return fmt.Errorf("%s %s: %w", op, b.at(key), err)
	}
	e := &bucket.Error{Op: op, Key: b.at(key), Kind: kindOf(err), Err: err}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e.Code = errno.Error()
		if errno == syscall.EPERM && op == "create" {
			e.Code += "; or the file system has no hard links, and a vault needs one that has"
		}
	}
	return e
}

// failRead is fail for calls that look for key: a file where a directory
// should be, or a name no file can have, means that there is no such object.
func (b *Bucket) failRead(op, key string, err error) error {
	var bad badKey
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) || errors.As(err, &bad) {
		return &bucket.Error{Op: op, Key: b.at(key), Kind: bucket.ErrNotFound, Code: "no such file", Err: err}
	}
	return b.fail(op, key, err)
}

func kindOf(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bucket.ErrNotFound
	case errors.Is(err, fs.ErrExist):
		return bucket.ErrExists
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return bucket.ErrDenied
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENAMETOOLONG),
		errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ELOOP):
		return bucket.ErrInvalid
	case errors.As(err, &errno): // ENOSPC, EDQUOT, EIO, ...: the disk may recover
		return bucket.ErrUnavailable
	}
	return bucket.ErrInvalid // a bad key, or a path that os.Root keeps from leaving the root
}
