package pgtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// watchdogScript reads directories until its input ends, which happens when the test binary is gone for whatever
// reason. Servers that are left under them are told to quit, and the directories are removed. It goes by postmaster.pid,
// which a server removes when it stops: a remembered process id could by then be somebody else's.
const watchdogScript = `
set -f
IFS='
'
dirs=
while read -r dir; do dirs="$dirs$dir
"; done
for dir in $dirs; do
	[ -d "$dir" ] || continue
	find "$dir" -name postmaster.pid -exec sh -c 'kill -QUIT "$(head -n 1 "$0")"' {} \;
	sleep 1
	chmod -R u+w "$dir"
	rm -rf "$dir"
done
`

// watchdog is one process for each test binary. Cleanups do not run when a test binary is killed or panics, as it does
// on a timeout, and servers that stay behind take the memory and the processors of all later tests.
var watchdog = sync.OnceValues(func() (io.Writer, error) {
	cmd := exec.Command("/bin/sh", "-c", watchdogScript)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt from the terminal is not for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return in, nil
})

func watch(t testing.TB, dir string) {
	t.Helper()
	if err := leave(dir); err != nil {
		t.Fatal(err)
	}
}

// leave has a directory removed when the test binary is gone.
func leave(dir string) error {
	w, err := watchdog()
	if err == nil {
		_, err = fmt.Fprintln(w, dir)
	}
	return err
}

// BinaryDir makes a directory that the servers' user can reach and that lasts as long as the test binary, for what many
// of its tests share.
func BinaryDir() (string, error) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return "", err
	}
	return dir, errors.Join(leave(dir), os.Chmod(dir, 0o755))
}
