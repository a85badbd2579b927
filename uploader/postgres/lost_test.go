package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

const noSession = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgseal'"

func TestKeepAliveCancelsWhenTheSessionIsGone(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15)
	session := connect(t, s, "")
	ctx, done := session.KeepAlive(context.Background(), 20*time.Millisecond)
	defer done()
	if _, err := session.Start(ctx, "x", true); err != nil {
		t.Fatal(err)
	}
	s.SQL("SELECT pg_sleep(0.2)")
	if ctx.Err() != nil {
		t.Fatalf("cancelled while the session lives: %v", context.Cause(ctx))
	}
	s.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgseal'")
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("not cancelled")
	}
	if cause := context.Cause(ctx); !errors.Is(cause, postgres.ErrSessionLost) {
		t.Errorf("cause %v", cause)
	}
	if _, err := session.Stop(context.Background()); err == nil {
		t.Error("a lost backup was stopped")
	}
}

func TestKeepAliveEndsOnDemand(t *testing.T) {
	t.Parallel()
	session := connect(t, testserver.Start(t, 15), "")
	ctx, done := session.KeepAlive(context.Background(), time.Millisecond)
	done()
	if errors.Is(context.Cause(ctx), postgres.ErrSessionLost) {
		t.Errorf("cause %v", context.Cause(ctx))
	}
	if _, err := session.Facts(context.Background()); err != nil {
		t.Errorf("the session is no longer usable: %v", err)
	}
}

func TestCloseStopsABackupInOrder(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15)
	session := connect(t, s, "")
	ctx, cancel := context.WithCancel(context.Background())
	ctx, done := session.KeepAlive(ctx, time.Millisecond)
	if _, err := session.Start(ctx, "x", true); err != nil {
		t.Fatal(err)
	}
	cancel()
	done()
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if err := session.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	waitFor(t, s, noSession)
	// PostgreSQL warns when a backend exits with a backup that was not stopped.
	log, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil || strings.Contains(string(log), "aborting backup") {
		t.Errorf("%v, log:\n%s", err, log)
	}
}

func TestCancelledStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15, "checkpoint_timeout = '1h'")
	s.SQL("CREATE TABLE t AS SELECT g, repeat('x', 800) FROM generate_series(1, 12000) g")
	session := connect(t, s, "")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for range 1200 {
			if s.SQL("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event LIKE 'Checkpoint%Done' OR wait_event = 'CheckpointDone'") == "t" {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	if _, err := session.Start(ctx, "spread over half an hour", false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, s, noSession)
}
