package filebucket

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestWhatTheSystemSaysHasItsKind(t *testing.T) {
	b := &Bucket{url: "file:///v"}
	for errno, want := range map[syscall.Errno]error{
		syscall.ENOENT: bucket.ErrNotFound, syscall.EEXIST: bucket.ErrExists,
		syscall.EACCES: bucket.ErrDenied, syscall.EPERM: bucket.ErrDenied, syscall.EROFS: bucket.ErrDenied,
		syscall.ENOSPC: bucket.ErrUnavailable, syscall.EDQUOT: bucket.ErrUnavailable, syscall.EIO: bucket.ErrUnavailable,
		syscall.ENOTDIR: bucket.ErrInvalid, syscall.EISDIR: bucket.ErrInvalid, syscall.ENAMETOOLONG: bucket.ErrInvalid,
	} {
		err := b.fail("create", "k", &fs.PathError{Op: "write", Path: "x", Err: errno})
		if !errors.Is(err, want) || !errors.Is(err, errno) || !strings.Contains(err.Error(), errno.Error()) ||
			!strings.Contains(err.Error(), "create file:///v/k") {
			t.Errorf("%v becomes %v, want %v with the words of the system", errno, err, want)
		}
	}
}

func TestCancellationsAndBrokenBodiesAreNoRefusals(t *testing.T) {
	b := &Bucket{url: "file:///v"}
	var refusal *bucket.Error
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded, bodyError{syscall.EIO}} {
		err := b.fail("create", "k", cause)
		if !errors.As(cause, new(bodyError)) {
			err = b.fail("create", "k", err) // on its way up
		}
		if errors.As(err, &refusal) || strings.Count(err.Error(), "create file:///v/k") != 1 {
			t.Errorf("%v becomes %v", cause, err)
		}
	}
}
