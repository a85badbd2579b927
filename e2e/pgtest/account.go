package pgtest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// account is the user that servers and tools run as: nil stands for the current user, which is right unless it is root.
var account = sync.OnceValues(func() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and the user postgres is missing: %w; run scripts/install-deps test", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("uid of the user postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("gid of the user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
})

// Command prepares a program to run as the servers' user, in the root directory and with an environment of PATH, HOME,
// LC_ALL and TZ only: what a developer has in his environment (PG*, AWS_*) must not decide a test. Add to cmd.Env what
// the program needs. A cancelled context kills it.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/nonexistent", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.Dir = "/"
	cmd.WaitDelay = 10 * time.Second
	cred, err := account()
	if err != nil {
		cmd.Err = err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	return cmd
}

// Run runs a program to its end with Command and returns its output, stderr included. The test fails when the program
// does.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := Command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Dir makes a directory that the servers' user owns and can reach, and removes it at the end of the test.
// testing.T.TempDir is no such place: its parents belong to root alone when the tests run as root.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	watch(t, dir)
	t.Cleanup(func() {
		if err := removeAll(dir); err != nil {
			t.Errorf("remove the test's directory: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	Own(t, dir)
	// "." instead of a test of the bits: it is the parents that can be in the way.
	if out, err := Command(t.Context(), "/bin/sh", "-c", `cd "$0"`, dir).CombinedOutput(); err != nil {
		t.Fatalf("the servers' user cannot enter %s: %v: %s; set TMPDIR to a directory that everybody may enter", dir, err, out)
	}
	return dir
}

// removeAll removes a tree, also one with directories that may not be written to, as a vault's are.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Own gives a tree to the servers' user. Links are not followed. Outside of root it does nothing.
func Own(t testing.TB, root string) {
	t.Helper()
	cred, err := account()
	if err != nil {
		t.Fatal(err)
	}
	if cred == nil {
		return
	}
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(cred.Uid), int(cred.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Share copies a file, such as a built program, to where the servers' user can run it, and returns the new path. The
// base name stays.
func Share(t testing.TB, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	to := filepath.Join(Dir(t), filepath.Base(path))
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o755); err != nil { // the umask does not decide
		t.Fatal(err)
	}
	return to
}
