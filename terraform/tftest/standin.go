package tftest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// standIn builds the stand-in of schemaprovider under the name of a provider, once for all tests of a process, into a mirror
// in the cache, where nothing but these tests looks. It checks arguments and types, and few values: what the real provider makes
// of them it cannot know.
func standIn(name, version string) func(testing.TB) string {
	build := sync.OnceValues(func() (string, error) {
		mirror := filepath.Join(cache(), "standin")
		dir := filepath.Join(mirror, registry, "hashicorp", name, version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		// Another process may use the one that is there.
		made := filepath.Join(dir, fmt.Sprintf(".%d", os.Getpid()))
		cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", made, ".")
		cmd.Dir = filepath.Join(Root(), "schemaprovider")
		// The flags are for the module under test.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("the stand-in for %s cannot be built: %w\n%s", name, err, out)
		}
		return mirror, os.Rename(made, filepath.Join(dir, "terraform-provider-"+name+"_v"+version+"_x5"))
	})
	return func(t testing.TB) string {
		t.Helper()
		mirror, err := build()
		if err != nil {
			t.Fatal(err)
		}
		return mirror
	}
}
