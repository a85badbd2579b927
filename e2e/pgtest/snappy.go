package pgtest

import (
	_ "embed"
	"os"
	"path/filepath"
	"testing"
)

//go:embed snappy.py
var snappyFix []byte

// SnappyEnv is an environment variable that mends Debian 12's python3-snappy, for the stock barman-cloud commands that
// read or write .snappy (see snappy.py).
func SnappyEnv(t testing.TB) string {
	t.Helper()
	dir := Dir(t)
	path := filepath.Join(dir, "sitecustomize.py")
	if err := os.WriteFile(path, snappyFix, 0o644); err != nil {
		t.Fatal(err)
	}
	Own(t, dir)
	return "PYTHONPATH=" + dir
}
