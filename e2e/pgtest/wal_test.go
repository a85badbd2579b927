package pgtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestFillSegment(t *testing.T) {
	for _, major := range majors {
		install := pgtest.Find(t, major)
		t.Run(fmt.Sprintf("a backup of PostgreSQL %d stops exactly on a segment boundary", major), func(t *testing.T) {
			t.Parallel()
			size, zeros := 16, "000000"
			if major%2 == 0 {
				size, zeros = 1, "00000"
			}
			c := pgtest.New(t, pgtest.Options{Install: install, WALSegmentSizeMB: size})
			start, stop := "pg_backup_start('b', true)", "(pg_backup_stop(false)).lsn"
			if major < 15 {
				start, stop = "pg_start_backup('b', true, false)", "(pg_stop_backup(false, false)).lsn"
			}
			conn := c.Conn()
			var lsn string
			for range 5 { // the background writer may come in between
				if _, err := conn.Exec(t.Context(), "SELECT "+start); err != nil {
					t.Fatal(err)
				}
				c.FillSegment(pgtest.BackupEndRecord)
				if err := conn.QueryRow(t.Context(), "SELECT "+stop+"::text").Scan(&lsn); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(lsn, zeros) {
					return
				}
				t.Logf("stopped at %s", lsn)
			}
			t.Errorf("no backup of five stopped on a boundary, the last one at %s", lsn)
		})
	}
}
