package story_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestAKilledBackup: a signal in the middle of the uploads. What must not stay
// does not, and the next backup is none the worse.
func TestAKilledBackup(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		for _, tc := range []struct {
			name    string
			signal  syscall.Signal
			code    int
			record  []string // what staging says
			uploads bool     // may stay open: nobody was there to end them
		}{
			{"SIGTERM is answered by cleaning up", syscall.SIGTERM, 1, []string{"status=FAILED\n", "error=failure uploading data (interrupted (terminated))\n"}, false},
			{"SIGKILL leaves what a sweep recognises", syscall.SIGKILL, -1, []string{"status=STARTED\n"}, true},
		} {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				c := startCloud(t, k)
				source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
				source.LoadPgbench(1)
				reached := c.Faulty().Add(cloud.Fault{Op: cloud.Part, Identity: cloud.Host, Action: cloud.Slow, Delay: time.Hour})
				cmd := c.backupOf(t, source, "-J", "2")
				wait := start(t, cmd)
				until(t, "the upload of parts", func() bool { return reached() > 1 })
				if err := cmd.Process.Signal(tc.signal); err != nil {
					t.Fatal(err)
				}
				wait().want(t, tc.code)
				c.Faulty().Clear()

				until(t, "PostgreSQL to see the session end", func() bool {
					return source.SQL("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgseal%'") == "0"
				})
				records := versions(t, c.staging, server+"/base/")
				if len(records) != 1 {
					t.Fatalf("records in staging: %q", records)
				}
				has(t, content(t, c.staging, records[0]), tc.record...)
				for _, key := range versions(t, c.vault, server+"/base/") {
					t.Errorf("in the vault: %s", key)
				}
				uploads := tc.uploads && k.Name != clouds.Azure.Name // which knows blocks, and drops them by itself
				if open := c.openUploads(t); (len(open) != 0) != uploads {
					t.Errorf("uploads open: %q", open)
				}

				id := sealed(t, c.backupOf(t, source, "--wait"))
				c.checkSeal(t, id)
				if records[0] == layout.BackupInfo(server, id) {
					t.Errorf("the id %s was used again", id)
				}
				if c.Stock != nil {
					run(t, c.stock(cloud.Restore, "backup-list", []string{"--format", "json"})).want(t, 0, id)
				}
				c.auditRequests(t)
				c.auditVault(t)
			})
		}
	})
}
