package filebucket_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

// With this variable the test binary is a writer that never comes to an end.
const writerURL = "FILEBUCKET_TEST_WRITER"

func TestMain(m *testing.M) {
	if u := os.Getenv(writerURL); u != "" {
		b, err := filebucket.Open(u)
		if err == nil {
			_, err = b.Create(context.Background(), "k", &slowZeros{}, bucket.CreateOptions{})
		}
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// slowZeros says when the body is under way.
type slowZeros struct{ given int }

func (z *slowZeros) Read(p []byte) (int, error) {
	if z.given += len(p); z.given > 1<<20 {
		_, _ = os.Stdout.WriteString("writing\n")
		time.Sleep(time.Hour)
	}
	return len(p), nil
}

func TestAWriterThatIsKilledLeavesNoObject(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerURL+"="+b.URL())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "writing\n" {
		t.Errorf("the writer said %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed

	if _, err := b.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("Stat = %v, want ErrNotFound", err)
	}
	for obj, err := range b.List(t.Context(), "") {
		t.Errorf("List shows %v, %v", obj, err)
	}
	left := func() int {
		names, err := filepath.Glob(filepath.Join(dir, ".pgseal/tmp/*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if left() != 1 {
		t.Errorf("%d files left, want the writer's one", left())
	}
	lookIn(t, dir, time.Hour)
	if left() != 1 {
		t.Errorf("%d files left an hour later, want the one: it could still be written", left())
	}
	lookIn(t, dir, 25*time.Hour)
	if left() != 0 {
		t.Errorf("%d files left a day later, want none", left())
	}
	mustCreate(t, b, "k", "whole")
}

// lookIn opens the vault at a later time.
func lookIn(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	b := open(t, dir, filebucket.WithClock(func() time.Time { return time.Now().Add(after) }))
	if _, err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestASidecarWithoutItsFileIsNothing(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{Default: time.Hour})
	mustCreate(t, b, "a/k", "first")
	if err := os.Remove(filepath.Join(dir, "a/k")); err != nil { // as if killed before link(2)
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), "a/k", ""); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("Stat = %v, want ErrNotFound", err)
	}
	for obj, err := range b.List(t.Context(), "") {
		t.Errorf("List shows %v, %v", obj, err)
	}
	for name, err := range b.Dirs(t.Context(), "") {
		t.Errorf("Dirs shows %v, %v, which holds no key", name, err)
	}
	if obj := mustCreate(t, b, "a/k", "second one"); obj.Size != 10 {
		t.Errorf("%+v", obj)
	}
}

func TestWritersWithHandlesOfTheirOwnRaceFairly(t *testing.T) {
	_, dir := newVault(t, filebucket.Lock{})
	for range 20 {
		key := "k" + time.Now().Format("150405.000000000")
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := ""
		for _, text := range []string{"one", "two", "three", "four", "five", "six"} {
			b := open(t, dir)
			wg.Go(func() {
				_, err := b.Create(t.Context(), key, strings.NewReader(text), bucket.CreateOptions{Metadata: map[string]string{"who": text}})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && won != "":
					t.Errorf("%s and %s both won", won, text)
				case err == nil:
					won = text
				case !bucket.Exists(err):
					t.Errorf("%s: %v", text, err)
				}
			})
		}
		wg.Wait()
		b := open(t, dir)
		got, _, err := bucket.ReadAll(t.Context(), b, key, "", 100)
		if err != nil || string(got) != won {
			t.Errorf("%q, %v; want %q", got, err, won)
		}
		if obj, err := b.Stat(t.Context(), key, ""); err != nil || obj.Metadata["who"] != won {
			t.Errorf("%+v, %v; want the metadata of %q", obj, err, won)
		}
	}
}

func TestALongStreamNeedsLittleMemory(t *testing.T) {
	b, _ := newVault(t, filebucket.Lock{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const size = 128 << 20
	obj, err := b.Create(t.Context(), "k", io.LimitReader(zeros{}, size), bucket.CreateOptions{PartSize: 64 << 20})
	runtime.ReadMemStats(&after)
	if err != nil || obj.Size != size {
		t.Fatalf("%+v, %v", obj, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes allocated for a stream of %d", used, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
