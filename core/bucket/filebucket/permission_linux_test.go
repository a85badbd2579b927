package filebucket_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

const nobody = 65534

// denied is a vault that its user may read and not write to.
func denied(t *testing.T) bucket.Bucket {
	t.Helper()
	b, dir := newVault(t, filebucket.Lock{})
	for d := dir; d != filepath.Dir(os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() != 0 {
		err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				t.Cleanup(func() { _ = os.Chmod(p, 0o755) })
				err = os.Chmod(p, 0o555)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return stranger{b}
}

// stranger calls a Bucket on threads whose file system user is nobody, so that
// root's tests meet permissions too.
type stranger struct{ bucket.Bucket }

func (s stranger) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (obj bucket.Object, err error) {
	asNobody(func() { obj, err = s.Bucket.Create(ctx, key, r, o) })
	return obj, err
}

func (s stranger) CheckCreate(ctx context.Context, key string) (err error) {
	asNobody(func() { err = s.Bucket.CheckCreate(ctx, key) })
	return err
}

// asNobody runs f on a thread of its own that ends with it. Linux takes from
// such a thread the right to pass permission bits by.
func asNobody(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is not used again
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		f()
	}()
	<-done
}

func TestALockedObjectCannotBeOpenedForWritingByItsOwner(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{})
	if _, err := b.Create(t.Context(), "a/k", bytes.NewReader([]byte("x")), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	try := func() error {
		f, err := os.OpenFile(filepath.Join(dir, "a/k"), os.O_WRONLY|os.O_TRUNC, 0)
		if err == nil {
			err = f.Close()
		}
		return err
	}
	var err error
	if os.Getuid() == 0 {
		for d := filepath.Join(dir, "a"); d != os.TempDir(); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(filepath.Join(dir, "a/k"), nobody, nobody); err != nil {
			t.Fatal(err)
		}
		asNobody(func() { err = try() })
	} else {
		err = try()
	}
	if !os.IsPermission(err) {
		t.Errorf("writing over a locked object = %v, want a permission error", err)
	}
}
