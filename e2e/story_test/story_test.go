package story_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestTheWholeStory: under traffic, with tablespaces, in several parts, sealed
// by the function, and then in the hands of stock barman only.
func TestTheWholeStory(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		c := startCloud(t, k)
		source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1, OddTablespace: true})
		source.LoadPgbench(5)
		stop := source.RunPgbench(2)
		id := sealed(t, c.backupOf(t, source, "--wait", "-J", "2", "-S", "2MB", "--gzip", "-n", "nightly"))
		stop()
		want := counts(source, source)
		source.ArchiveAll()
		source.Stop()

		c.checkSeal(t, id, "backup_name=nightly\n")
		if parts := c.archives(t, id, layout.Data); len(parts) < 4 {
			t.Errorf("only %d parts of PGDATA: %q", len(parts), parts)
		}
		status := program(c.Env(cloud.Restore), build.Pgseal(t), "status", "--staging-url", c.stagingURL, c.vaultURL, server)
		run(t, status).want(t, 0, id, "nightly", "sealed")
		if c.Stock != nil {
			c.stockReads(t, id)
		}

		checkRecovery(t, source, c.restore(t, source, id), c.recovery(t), want)
		c.audit(t)
	})
}

// stockReads asks each of stock barman's reading commands for a backup named
// nightly, and keeps it.
func (c *scene) stockReads(t *testing.T, id string) {
	t.Helper()
	run(t, c.stock(cloud.Restore, "backup-list", nil)).want(t, 0, id, "nightly")
	listed := run(t, c.stock(cloud.Restore, "backup-list", []string{"--format", "json"})).want(t, 0)
	var list struct {
		Backups []map[string]any `json:"backups_list"`
	}
	if err := json.Unmarshal([]byte(listed.stdout), &list); err != nil || len(list.Backups) != 1 {
		t.Fatalf("%v in the list\n%s", err, listed.stdout)
	}
	if b := list.Backups[0]; b["backup_id"] != id || b["status"] != "DONE" || b["backup_name"] != "nightly" {
		t.Errorf("listed as %v", b)
	}
	run(t, c.stock(cloud.Restore, "backup-show", nil, "nightly")).want(t, 0, id, "DONE")
	shown := run(t, c.stock(cloud.Restore, "backup-show", []string{"--format", "json"}, "nightly")).want(t, 0)
	var show map[string]map[string]any // CloudNativePG wants the key "cloud"
	if err := json.Unmarshal([]byte(shown.stdout), &show); err != nil || show["cloud"]["backup_id"] != id {
		t.Errorf("%v: shown as\n%s", err, shown.stdout)
	}
	run(t, c.stock(cloud.Restore, "check-wal-archive", nil)).want(t, 1, "Expected empty archive")
	run(t, c.stock(cloud.Restore, "check-wal-archive", []string{"--timeline", "2"})).want(t, 0)
	run(t, c.stock(cloud.Operator, "backup-keep", []string{"--target", "full"}, id)).want(t, 0)
	run(t, c.stock(cloud.Restore, "backup-keep", []string{"--status"}, id)).want(t, 0, "Keep: full")
	keep := layout.BackupDir(server, id) + "annotations/keep"
	if got := strings.TrimSpace(content(t, c.reader, keep)); got != "full" {
		t.Errorf("kept as %q", got)
	}
}
