// Package package_test makes the archives as `make package` does, and runs what is in them: the Lambda functions of both
// architectures, the Azure function app, and the Google Cloud function after the steps of Google's buildpack, offline.
package package_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
)

// version is what the archives are stamped with.
const version = "v0.0.0-test"

var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "pgseal-package-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(work); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// archives are the names of what make package makes.
var archives = []string{"aws-arm64.zip", "aws-amd64.zip", "gcp-source.zip", "azure.zip", "webhook-arm64.zip", "webhook-amd64.zip"}

// made is a copy of the module in which make package has been run.
var made = sync.OnceValues(func() (string, error) { return makePackage("one") })

// makePackage copies the module to a directory of its own, without the repository's history, and packs there.
func makePackage(name string) (string, error) {
	root, err := build.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(work, name)
	for _, below := range []string{"codec", "core", "functions", "scripts", "Makefile", "go.mod", "go.sum"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if out, err := exec.Command("cp", "-r", filepath.Join(root, below), dir).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
	}
	cmd := exec.Command("make", "package", "VERSION="+version)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make package: %w\n%s", err, out)
	}
	return filepath.Join(dir, "dist"), nil
}

// unpacked unpacks an archive into a directory of its own.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	dist, err := made()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(dist, archive))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	dir := t.TempDir()
	for _, f := range z.File {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil || !strings.HasPrefix(name, dir+string(filepath.Separator)) {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, body, f.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
