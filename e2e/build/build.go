// Package build builds the product's programs for tests that run them: once for each test binary, into a directory that
// the servers' user can reach, so that a PostgreSQL server can call them. The test binaries of one run of scripts/test share
// what they build, in the directory that PGSEAL_PROGRAMS names: linking is a good part of the work.
package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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

// Azure is a directory with the Azure function app, laid out as in azure.zip: the program handler, host.json and a
// directory for each function.
func Azure(t testing.TB) string {
	t.Helper()
	return path(t, azure)
}

// Webhook is the path of the service for S3-compatible servers.
func Webhook(t testing.TB) string {
	t.Helper()
	return path(t, webhook)
}

var (
	pgseal    = sync.OnceValues(func() (string, error) { return build("pgseal", "./uploader/pgseal", "-tags=disable_grpc_modules") })
	bootstrap = sync.OnceValues(func() (string, error) { return build("bootstrap", "./functions/aws", "-tags=lambda.norpc") })
	azure     = sync.OnceValues(func() (string, error) { return app("./functions/azure") })
	webhook   = sync.OnceValues(func() (string, error) { return build("webhook", "./functions/webhook") })
	s3put     = sync.OnceValues(func() (string, error) { return buildIn("e2e", "s3put", "./cmd/s3put") })
	gcp       = sync.OnceValues(func() (string, error) {
		return build("gcp-server", "./functions/gcp/server", "-tags=disable_grpc_modules")
	})
)

// S3Put is the path of a program that sends its standard input into an object of S3.
func S3Put(t testing.TB) string {
	t.Helper()
	return path(t, s3put)
}

func path(t testing.TB, built func() (string, error)) string {
	t.Helper()
	p, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Root is the directory of the module above this one.
func Root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(filepath.Dir(string(bytes.TrimSpace(out)))), nil // from e2e/go.mod
}

// app builds a program under the name handler, and puts what is shipped with it beside it.
func app(pkg string) (string, error) {
	program, err := build("handler", pkg)
	if err != nil {
		return "", err
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir, source := filepath.Dir(program), filepath.Join(root, pkg)
	functions, err := filepath.Glob(filepath.Join(source, "*", "function.json"))
	if err != nil {
		return "", err
	}
	for _, file := range append(functions, filepath.Join(source, "host.json")) {
		body, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		target := filepath.Join(dir, strings.TrimPrefix(file, source))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(target, body, 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// build builds a package of the module above this one, into a directory of its own. Cgo is off and the tags are those of
// the Makefile, as in a release.
func build(name, pkg string, flags ...string) (string, error) {
	return buildIn(".", name, pkg, flags...)
}

// buildIn is build for the module in a directory of this project.
func buildIn(module, name, pkg string, flags ...string) (string, error) {
	dir, err := pgtest.BinaryDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(dir, name)
	if shared := os.Getenv("PGSEAL_PROGRAMS"); shared != "" {
		err = share(filepath.Join(shared, name), target, func(to string) error { return compile(to, module, pkg, flags) })
	} else {
		err = compile(target, module, pkg, flags)
	}
	if err != nil {
		return "", err
	}
	return target, os.Chmod(target, 0o755) // the umask does not decide
}

func compile(target, module, pkg string, flags []string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", append(append([]string{"build", "-ldflags=-s -w", "-o", target}, flags...), pkg)...)
	cmd.Dir = filepath.Join(root, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// share copies a program that all test binaries share, and makes it if none of them has yet.
func share(program, target string, make func(to string) error) (err error) {
	lock, err := os.OpenFile(program+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // and with it the lock ends
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		err = make(program + ".new")
		if err == nil {
			err = os.Rename(program+".new", program)
		}
		if err != nil {
			return err
		}
	}
	from, err := os.Open(program)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
