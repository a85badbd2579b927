package postgres_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

func TestSessionOnThePrimaryWithTheFilesOfTheStandby(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	primary := testserver.Start(t, 15)
	standby := primary.Standby()
	primary.SQL("CREATE TABLE t AS SELECT generate_series(1, 1000)", "CHECKPOINT")
	session := connect(t, primary, "")
	facts, err := session.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := connect(t, standby, "").Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if theirs.SystemID != facts.SystemID || !theirs.InRecovery {
		t.Fatalf("the standby: %+v", theirs)
	}
	check := func(what string, f postgres.Facts, root, says string) {
		t.Helper()
		err := session.SameServer(ctx, f, root)
		if !errors.Is(err, postgres.ErrOtherServer) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("another directory", facts, standby.Data, "data_directory")
	// From here on as if both hosts had the same paths, ports and start times.
	facts.DataDirectory = standby.Data
	check("the same path", facts, standby.Data, "port")
	facts.Port = standby.Port
	facts.PostmasterStart = facts.PostmasterStart.Add(-time.Hour)
	check("the same port", facts, standby.Data, "started at")
	facts.PostmasterStart = theirs.PostmasterStart
	check("the same start", facts, standby.Data, "in archive recovery")

	start, err := session.Start(ctx, "x", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.CheckStarted(start, standby.Data); !errors.Is(err, postgres.ErrOtherServer) {
		t.Errorf("after the start: %v", err)
	}
	if err := postgres.CheckStarted(start, primary.Data); err != nil {
		t.Errorf("after the start, the right files: %v", err)
	}
	standby.SQL("SELECT pg_promote()")
	waitFor(t, standby, "SELECT NOT pg_is_in_recovery()")
	check("a promoted standby", facts, standby.Data, "on disk")
	standby.Stop()
	check("a server that is down", facts, standby.Data, "postmaster.pid")
}

func TestSystemIdentifierOfAnotherCluster(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, b := testserver.Start(t, 15), testserver.Start(t, 15)
	session := connect(t, a, "")
	facts, err := session.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := connect(t, b, "").Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	facts.DataDirectory, facts.Port, facts.PostmasterStart = b.Data, b.Port, theirs.PostmasterStart
	if err := session.SameServer(ctx, facts, b.Data); !errors.Is(err, postgres.ErrOtherServer) || !strings.Contains(err.Error(), "system identifier") {
		t.Errorf("got %v", err)
	}
}

func TestBackupFromAStandby(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			primary := testserver.Start(t, major, "archive_mode = on", "archive_command = 'true'")
			standby := primary.Standby()
			session := connect(t, standby, "")
			facts, err := session.Facts(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := facts.CheckArchiving(); err != nil {
				t.Error(err)
			}
			if err := session.SameServer(ctx, facts, standby.Data); err != nil {
				t.Error(err)
			}
			start, err := session.Start(ctx, "x", true)
			if err != nil {
				t.Fatal(err)
			}
			if err := postgres.CheckStarted(start, standby.Data); err != nil {
				t.Error(err)
			}
			stop, err := session.Stop(ctx)
			if err != nil {
				t.Fatal(err)
			}
			label, err := manifest.ParseLabel(stop.Label)
			if err != nil || label.From != "standby" || stop.LSN < start.LSN {
				t.Errorf("start %+v, stop %+v, %v", start, stop, err)
			}
		})
	}
}

func TestTimelineThatChangesDuringTheBackup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	primary := testserver.Start(t, 15)
	middle := primary.Standby()
	last := middle.Standby()
	session := connect(t, last, "")
	if _, err := session.Start(ctx, "x", true); err != nil {
		t.Fatal(err)
	}
	middle.SQL("SELECT pg_promote()")
	waitFor(t, middle, "SELECT NOT pg_is_in_recovery()")
	middle.SQL("CREATE TABLE t AS SELECT 1", "CHECKPOINT")
	// The end of a standby's backup is its minimum recovery point, which a
	// restartpoint moves.
	waitFor(t, last, "CHECKPOINT; SELECT min_recovery_end_timeline = 2 FROM pg_control_recovery()")
	if _, err := session.Stop(ctx); !errors.Is(err, postgres.ErrTimeline) {
		t.Errorf("got %v", err)
	}
}

func TestStandbyPromotedDuringTheBackup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	standby := testserver.Start(t, 15).Standby()
	session := connect(t, standby, "")
	if _, err := session.Start(ctx, "x", true); err != nil {
		t.Fatal(err)
	}
	standby.SQL("SELECT pg_promote()")
	waitFor(t, standby, "SELECT NOT pg_is_in_recovery()")
	if _, err := session.Stop(ctx); err == nil || !strings.Contains(err.Error(), "55000") {
		t.Errorf("got %v", err)
	}
}
