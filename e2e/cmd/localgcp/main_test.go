package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/e2e/build"
)

// screen is an output that a test can watch.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits for the text.
func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.String(), want) {
			return
		}
	}
	t.Fatalf("no %q in:\n%s", want, s)
}

// exports reads the lines to paste below the identity's heading.
func exports(text, identity string) map[string]string {
	_, text, _ = strings.Cut(text, "\n# "+identity+":")
	block, _, _ := strings.Cut(text, "\n\n")
	out := map[string]string{}
	for line := range strings.Lines(block) {
		if assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			out[name] = value
		}
	}
	return out
}

func TestAMarkerWrittenWithThePastedKeyWakesTheFunction(t *testing.T) {
	program := build.GCP(t)
	dir := filepath.Join(t.TempDir(), "kept")
	for range 2 { // the second start finds buckets and keys of the first
		var stdout, stderr screen
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() {
			done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-dir", dir, "-prefix", "/pg/", "-function", program}, &stdout, &stderr)
		}()
		stdout.shows(t, "Ctrl-C")
		if !strings.Contains(stdout.String(), "gs://vault/pg  (retention policy in days: 1)") {
			t.Errorf("%s", &stdout)
		}
		for name, value := range exports(stdout.String(), "host") {
			t.Setenv(name, value)
		}
		t.Setenv("STORAGE_EMULATOR_HOST", "")
		b, err := gcsbucket.Open(ctx, gcsbucket.Options{URL: "gs://staging/pg"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Put(ctx, "_pgseal/complete/main/20260101T000000.json", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		stderr.shows(t, "20260101T000000") // the function speaks of the backup
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if found, err := filepath.Glob(filepath.Join(dir, "buckets", "staging", "*.bin")); err != nil || len(found) != 1 {
		t.Errorf("%q, %v", found, err)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"a negative retention": {"-retention-days", "-1"},
		"a stray argument":     {"start"},
		"a missing function":   {"-listen", "127.0.0.1:0", "-function", filepath.Join(os.TempDir(), "does", "not", "exist")},
	} {
		var out screen
		if err := run(context.Background(), args, &out, &out); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
