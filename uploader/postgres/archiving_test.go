package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

func TestCheckArchiving(t *testing.T) {
	earlier := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	later := earlier.Add(time.Minute)
	works := postgres.Archiver{LastArchivedWAL: "000000010000000000000003", LastArchivedTime: later,
		LastFailedWAL: "000000010000000000000002", LastFailedTime: earlier}
	fails := postgres.Archiver{LastArchivedWAL: "000000010000000000000001", LastArchivedTime: earlier,
		LastFailedWAL: "000000010000000000000002", LastFailedTime: later, FailedCount: 7}
	for name, test := range map[string]struct {
		facts postgres.Facts
		says  []string // none: passes
	}{
		"an archiver that never had work passes":          {postgres.Facts{ArchiveMode: "on", ArchiveTarget: true}, nil},
		"an archiver that failed once and went on passes": {postgres.Facts{ArchiveMode: "on", ArchiveTarget: true, Archiver: works}, nil},
		"an archiver that fails is named with file and time": {postgres.Facts{ArchiveMode: "on", ArchiveTarget: true, Archiver: fails},
			[]string{"000000010000000000000002", "2026-11-22T03:01:00Z", "000000010000000000000001"}},
		"an archiver that has only failed": {postgres.Facts{ArchiveMode: "on", ArchiveTarget: true,
			Archiver: postgres.Archiver{LastFailedWAL: "000000010000000000000001", LastFailedTime: earlier}}, []string{"never"}},
		"archive_mode off":                   {postgres.Facts{ArchiveMode: "off"}, []string{"archive_mode is off"}},
		"no archive_command":                 {postgres.Facts{ArchiveMode: "on"}, []string{"archive_command"}},
		"a standby with archive_mode on":     {postgres.Facts{ArchiveMode: "on", InRecovery: true, Archiver: fails}, nil},
		"a standby with archive_mode off":    {postgres.Facts{ArchiveMode: "off", InRecovery: true}, nil},
		"a standby that archives, and fails": {postgres.Facts{ArchiveMode: "always", ArchiveTarget: true, InRecovery: true, Archiver: fails}, []string{"fails"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.facts.CheckArchiving()
			if (err != nil) != (test.says != nil) || (err != nil && !errors.Is(err, postgres.ErrArchiving)) {
				t.Fatalf("got %v", err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing in %v", part, err)
				}
			}
		})
	}
}

func TestArchiverOfARealServerThatFails(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15, "archive_mode = on", "archive_command = 'false'")
	session := connect(t, s, "")
	s.SQL("SELECT pg_switch_wal()")
	waitFor(t, s, "SELECT failed_count > 0 FROM pg_stat_archiver")
	facts, err := session.Facts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := facts.CheckArchiving(); !errors.Is(err, postgres.ErrArchiving) || !strings.Contains(err.Error(), "000000010000000000000001") {
		t.Errorf("got %v", err)
	}
	off, err := connect(t, testserver.Start(t, 15), "").Facts(context.Background())
	if err != nil || off.ArchiveMode != "off" || off.ArchiveTarget {
		t.Errorf("archiving off: %+v, %v", off, err)
	}
}

func waitFor(t *testing.T, s *testserver.Server, sql string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); s.SQL(sql) != "t"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never true: %s", sql)
		}
	}
}
