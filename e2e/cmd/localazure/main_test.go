package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
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
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.String(), want) {
			return
		}
	}
	t.Fatalf("no %q in:\n%s", want, s)
}

// exported is a variable in the lines to paste below the identity's heading.
func exported(text, identity, name string) string {
	_, text, _ = strings.Cut(text, "\n# "+identity+":")
	_, text, _ = strings.Cut(text, "export "+name+"='")
	value, _, _ := strings.Cut(text, "'")
	return value
}

// A marker without a set gets an answer from the built handler, which shows in its log.
func TestAMarkerWrittenWithThePastedKeyWakesTheFunction(t *testing.T) {
	app := t.TempDir()
	if out, err := exec.Command("cp", "-r", "../../../functions/azure/host.json", "../../../functions/azure/finalize", "../../../functions/azure/sweep", app).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	if out, err := exec.Command("go", "build", "-C", "../../..", "-o", filepath.Join(app, "handler"), "./functions/azure").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	var stdout, stderr screen
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-prefix", "/pg/", "-function", app}, &stdout, &stderr)
	}()
	stdout.shows(t, "Ctrl-C")
	_, url, _ := strings.Cut(stdout.String(), "staging    ")
	url, _, _ = strings.Cut(url, "\n")
	if !strings.HasSuffix(url, "/staging/pg") || !strings.Contains(stdout.String(), "/vault/pg  (retention policy of the container in days: 1)") {
		t.Errorf("%s", &stdout)
	}
	b, err := azurebucket.Open(ctx, azurebucket.Options{URL: url, ConnectionString: exported(stdout.String(), "host", "AZURE_STORAGE_CONNECTION_STRING")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, "_pgseal/complete/main/20260101T000000.json", strings.NewReader("{}"), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stderr.shows(t, "20260101T000000")
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"a negative retention": {"-retention-days", "-1"},
		"a stray argument":     {"start"},
		"a missing function":   {"-listen", "127.0.0.1:0", "-function", filepath.Join(os.TempDir(), "does-not-exist")},
	} {
		var out screen
		if err := run(context.Background(), args, &out, &out); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
