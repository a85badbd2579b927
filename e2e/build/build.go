// Package build builds the product's programs for tests that run them: once for each test binary, into a directory that
// the servers' user can reach, so that a PostgreSQL server can call them.
package build

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

// Pgseal is the path of the pgseal program.
func Pgseal(t testing.TB) string {
	t.Helper()
	return path(t, pgseal)
}

// Bootstrap is the path of the AWS function, a program named bootstrap as the Lambda runtime wants it.
func Bootstrap(t testing.TB) string {
	t.Helper()
	return path(t, bootstrap)
}

// GCP is the path of the Google Cloud function, as the server that the buildpack makes of it.
func GCP(t testing.TB) string {
	t.Helper()
	return path(t, gcp)
}

var (
	pgseal    = sync.OnceValues(func() (string, error) { return build("pgseal", "./uploader/pgseal") })
	bootstrap = sync.OnceValues(func() (string, error) { return build("bootstrap", "./functions/aws", "-tags=lambda.norpc") })
	gcp       = sync.OnceValues(func() (string, error) { return build("gcp-server", "./functions/gcp/server") })
)

func path(t testing.TB, built func() (string, error)) string {
	t.Helper()
	p, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// build builds a package of the module above this one. Cgo is off, as in a release.
func build(name, pkg string, flags ...string) (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	dir, err := pgtest.BinaryDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(dir, name)
	cmd := exec.Command("go", append(append([]string{"build", "-o", target}, flags...), pkg)...)
	cmd.Dir = filepath.Dir(filepath.Dir(string(bytes.TrimSpace(out)))) // from e2e/go.mod
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return target, os.Chmod(target, 0o755) // the umask does not decide
}
