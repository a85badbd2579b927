package story_test

import (
	"os"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestASessionOnThePrimaryWithTheFilesOfTheStandby: on two hosts with equal
// paths, a session that leads to the other one.
func TestASessionOnThePrimaryWithTheFilesOfTheStandby(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	primary := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), SymlinkPGDATA: true})
	standby := primary.Standby()
	own, err := os.Readlink(primary.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	point := func(to string) {
		t.Helper()
		if err := os.Remove(primary.DataDir); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, primary.DataDir); err != nil {
			t.Fatal(err)
		}
	}
	point(standby.DataDir)
	run(t, c.backupOf(t, primary, "--wait")).want(t, 1, "run pgseal on the host of the server it connects to")
	if all := c.versions(t, c.Vault, server+"/base/"); len(all) != 0 {
		t.Errorf("in the vault: %q", all)
	}
	if all := c.versions(t, c.Staging, ""); len(all) != 0 {
		t.Errorf("in staging: %q", all)
	}
	point(own)
	sealed(t, c.backupOf(t, primary, "--wait"))
	c.audit(t)
}
