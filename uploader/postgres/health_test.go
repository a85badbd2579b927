package postgres_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// A user without any privilege learns everything but what waits for the archiver, on every version.
func TestHealthNeedsNoPrivilege(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := testserver.Start(t, major, "archive_mode = on", "archive_command = 'false'", "full_page_writes = off", "restore_command = 'x'")
			s.SQL("CREATE ROLE nobody LOGIN", "CREATE ROLE monitor LOGIN", "GRANT pg_monitor TO monitor")
			nobody, monitor := connect(t, s, "user=nobody"), connect(t, s, "user=monitor")
			if err := nobody.CheckPrivileges(ctx); !errors.Is(err, postgres.ErrPrivilege) {
				t.Errorf("CheckPrivileges = %v", err)
			}
			s.SQL("SELECT pg_create_restore_point('x')", "SELECT pg_switch_wal()")
			var h postgres.Health
			for end := time.Now().Add(2 * time.Minute); h.Archiver.LastFailedTime.IsZero() || h.Ready < 1; time.Sleep(50 * time.Millisecond) {
				var err error
				if h, err = monitor.Health(ctx); err != nil || time.Now().After(end) {
					t.Fatalf("%+v, %v", h, err)
				}
			}
			h, err := nobody.Health(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if h.Version/10000 != major || h.InRecovery || h.WALLevel != "replica" || h.FullPageWrites || h.ArchiveMode != "on" || !h.ArchiveTarget ||
				!h.RestoreCommand || h.Ready != -1 || h.Archiver.LastFailedWAL == "" || h.Now.IsZero() {
				t.Errorf("%+v", h)
			}
		})
	}
}
