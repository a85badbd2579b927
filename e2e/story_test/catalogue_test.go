package story_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestAnAuditOfWhatStockBarmanWrote: stock barman-cloud-backup into a place that
// locks nothing, as it is used today. The audit says that nothing is locked, and
// nothing else, until somebody takes an archive away.
func TestAnAuditOfWhatStockBarmanWrote(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		if k.Stock == nil {
			t.Log("no stock barman-cloud for this store can be had here")
			return
		}
		c := startCloud(t, k)
		c.place = place{c.StagingURL(), c.VaultURL(), c.Env(cloud.Breakglass)} // the other way round: stock barman overwrites
		source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1})
		source.LoadPgbench(1)
		cmd := c.stock(cloud.Breakglass, "backup", []string{"-d", source.DSN(), "--immediate-checkpoint", "--gzip", "-S", "2MB"})
		run(t, cmd).want(t, 0)
		source.ArchiveAll()
		source.Stop()

		look := func(code int) audit.Report {
			t.Helper()
			cmd := program(c.Env(cloud.Breakglass), build.Pgseal(t), "audit", "--format", "json", c.vaultURL, server)
			o := run(t, cmd).want(t, code)
			var r audit.Report
			if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := look(1); r.Stock != 1 || r.Sealed != 0 || len(r.Problems) != 1 || r.Problems[0].Code != "no-lock" {
			t.Errorf("%+v", r)
		}
		part := ""
		for obj, err := range c.staging.List(t.Context(), layout.BaseDir(server)) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(obj.Key, "/data.tar.gz") {
				part = obj.Key
			}
		}
		if _, err := c.Remove(t.Context(), c.StagingName(), c.key(part), ""); err != nil {
			t.Fatal(err)
		}
		if r := look(2); !slices.ContainsFunc(r.Problems, func(p audit.Problem) bool {
			return p.Code == "missing" && strings.HasSuffix(p.Object, "/data.tar") && p.Severity == audit.Critical
		}) {
			t.Errorf("%+v", r.Problems)
		}
	})
}
