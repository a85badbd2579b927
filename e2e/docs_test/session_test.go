package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// session is somebody's shell. Its blocks run one after the other, each in a bash of its own that stops at the first command
// that fails; directory and exported variables go from one to the next.
type session struct {
	command func(name string, args ...string) *exec.Cmd // as this user, with their environment
	state   string                                      // a file
	dir     string                                      // the first directory
}

// run runs a block, and gives what it printed.
func (s *session) run(t *testing.T, page string, b block, text string) string {
	t.Helper()
	script := fmt.Sprintf("set -euo pipefail\ncd %s\nif [ -e %[2]s ]; then . %[2]s; fi\n%[3]s\n{ export -p; printf 'cd %%q\\n' \"$PWD\"; } > %[2]s\n",
		quoted(s.dir), quoted(s.state), text)
	out, err := s.command("bash", "-c", script).CombinedOutput()
	t.Logf("%s:%d: %s", page, b.line, out)
	if err != nil {
		t.Fatalf("%s:%d: %v\n%s%s", page, b.line, err, text, out)
	}
	return string(out)
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// bin is a directory for a PATH, with links or scripts by name.
func bin(t *testing.T, dir string, programs map[string]string) string {
	t.Helper()
	dir = filepath.Join(dir, "bin")
	err := os.MkdirAll(dir, 0o755)
	for name, to := range programs {
		if err == nil && strings.HasPrefix(to, "#!") {
			err = os.WriteFile(filepath.Join(dir, name), []byte(to), 0o755)
		} else if err == nil {
			err = os.Symlink(to, filepath.Join(dir, name))
		}
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
