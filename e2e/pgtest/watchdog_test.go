package pgtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestWatchdog runs this test in a second test binary, which kills itself with a server running.
func TestWatchdog(t *testing.T) {
	if os.Getenv("PGTEST_VICTIM") != "" {
		c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		fmt.Printf("socket %s\n", c.SocketDir)
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWatchdog$")
	cmd.Env = append(os.Environ(), "PGTEST_VICTIM=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("the victim did not kill itself")
	}
	_, rest, found := strings.Cut(string(out), "socket ")
	if !found {
		t.Fatalf("the victim printed %q", out)
	}
	socketDir, _, _ := strings.Cut(rest, "\n")
	// The server is stopped before its directory goes, so this is the proof of both.
	for dir, deadline := filepath.Dir(socketDir), time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s of the killed test binary is still there", dir)
		}
	}
}
