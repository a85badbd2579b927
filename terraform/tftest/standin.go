package tftest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// standIn builds the stand-in of schemaprovider under the name of a provider, once for all tests of a process, into a mirror
// that ends with them. It checks arguments and types, and few values: what the real provider makes of them it cannot know.
func standIn(name, version string) func(testing.TB) string {
	build := sync.OnceValues(func() (string, error) {
		mirror, err := os.MkdirTemp("", "pgseal-standin-")
		if err != nil {
			return "", err
		}
		file := filepath.Join(mirror, registry, "hashicorp", name, version, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v"+version+"_x5")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, ".")
		cmd.Dir = filepath.Join(Root(), "schemaprovider")
		// The flags are for the module under test.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", &buildError{err, string(out)}
		}
		return mirror, nil
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

type buildError struct {
	error
	output string
}

func (e *buildError) Error() string {
	return "the stand-in cannot be built: " + e.error.Error() + "\n" + e.output
}
