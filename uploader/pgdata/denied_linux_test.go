package pgdata_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// asNobody runs fn on a thread that has no more rights on files than any user.
// The thread is thrown away.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		fn()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Setfsuid(65534); err != nil {
			t.Error(err)
			return
		}
		fn()
	}()
	<-done
}

func TestUnreadable(t *testing.T) {
	for name, bad := range map[string]string{
		"a file that may not be read is named with its owner":      "base/5/1259",
		"a directory that may not be read is named with its owner": "base/6",
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeCluster(t, "base/5/1259", "base/6/")
			err := filepath.WalkDir(filepath.Dir(filepath.Dir(root)), func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				return os.Chmod(path, 0o755)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(root, bad), 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, bad), 0o700) })
			p := plan(t, pgdata.Options{Root: root})
			asNobody(t, func() {
				_, err := p.Survey(context.Background())
				if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), filepath.Join(root, bad)) || !strings.Contains(err.Error(), "owner ") {
					t.Errorf("survey: %v", err)
				}
				_, err = pgdata.Open(pgdata.Entry{Path: filepath.Join(root, bad)})
				if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "owner ") {
					t.Errorf("open: %v", err)
				}
			})
		})
	}
}

func TestFilesOfAnotherOwnerCanBeRead(t *testing.T) {
	// O_NOATIME is refused to all but the owner.
	path := filepath.Join(t.TempDir(), "1259")
	write(t, path, "x")
	for _, p := range []string{path, filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		f, err := pgdata.Open(pgdata.Entry{Path: path})
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Done()
	})
}
