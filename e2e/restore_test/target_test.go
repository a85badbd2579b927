package restore_test

import (
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// Where a recovery ends does not depend on the cloud. One backup, and what was written after it step by step.
func TestTargets(t *testing.T) {
	t.Parallel()
	s := sealed.Start(t, clouds.AWS)
	source := s.Cluster(t, pgtest.Options{})
	// What an earlier life leaves in the configuration must not decide.
	source.SQL("ALTER SYSTEM SET recovery_target_xid = '7'")
	source.SQL("CREATE TABLE story (step int)")
	id := s.Backup(t, source, "--gzip")
	source.SQL("INSERT INTO story VALUES (1)")
	at := source.SQL("SELECT clock_timestamp()")
	source.SQL("INSERT INTO story VALUES (2)")
	source.SQL("SELECT pg_create_restore_point('here')")
	source.SQL("INSERT INTO story VALUES (3)")
	lsn := source.SQL("SELECT pg_current_wal_insert_lsn()")
	source.SQL("INSERT INTO story VALUES (4)")
	source.ArchiveAll()

	steps := "SELECT count(*) FROM story"
	for name, tc := range map[string]struct {
		flags []string
		wait  pgtest.RecoveryOptions
		want  string
	}{
		"a time":           {[]string{"--target-time", at, "--target-action", "promote"}, pgtest.RecoveryOptions{}, "1"},
		"a restore point":  {[]string{"--target-name", "here", "--target-action", "promote"}, pgtest.RecoveryOptions{}, "2"},
		"a place":          {[]string{"--target-lsn", lsn, "--target-exclusive", "--target-action", "promote", "--target-timeline", "1"}, pgtest.RecoveryOptions{}, "3"},
		"the backup's end": {[]string{"--target-immediate"}, pgtest.RecoveryOptions{TargetAction: "pause"}, "0"},
		"a standby":        {[]string{"--standby"}, pgtest.RecoveryOptions{Standby: true}, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			r := place(t, s, source)
			sealed.Run(t, r.restore(t, id, tc.flags...)).Want(t, 0)
			c := r.recovered(t, source, tc.wait)
			until(t, "the target", func() bool { return c.SQL(steps) == tc.want })
			inRecovery := c.SQL("SELECT pg_is_in_recovery()") == "t"
			if inRecovery != (tc.wait.Standby || tc.wait.TargetAction == "pause") {
				t.Errorf("in recovery: %v", inRecovery)
			}
			if tc.wait.Standby {
				source.SQL("INSERT INTO story VALUES (5)")
				source.ArchiveAll()
				until(t, "the standby to follow", func() bool { return c.SQL(steps) == "5" })
			}
		})
	}
	r := place(t, s, source)
	sealed.Run(t, r.restore(t, "latest", "--target-time", "2001-01-01 00:00:00+00")).Want(t, 1, "ends before the target")
	sealed.Run(t, r.restore(t, id, "--target-time", "2001-01-01 00:00:00+00")).Want(t, 1, "the target cannot be reached")
	sealed.Run(t, r.restore(t, id, "--target-time", "2101-01-01 00:00:00+00")).Want(t, 1, "the WAL leads to segment")
	sealed.Run(t, r.restore(t, id, "--target-lsn", "FF/0")).Want(t, 1, "after the end of the WAL")
	sealed.Run(t, r.restore(t, id, "--target-lsn", "0/1", "--target-xid", "7")).Want(t, 3, "recovery has one target")
	if o := sealed.Run(t, r.restore(t, "nonesuch")); o.Code != 1 || !strings.Contains(o.Output, "pgseal status lists them") {
		t.Errorf("%d %s", o.Code, o.Output)
	}
}
