package docs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// From Terraform to a restored backup, on each cloud as its page says.
func TestQuickStart(t *testing.T) {
	pages := map[string]struct{ page, vault, staging string }{
		clouds.AWS.Name:   {"aws", "s3://example-pgseal-vault/barman", "s3://example-pgseal-staging/barman"},
		clouds.GCP.Name:   {"gcp", "gs://example-pgseal-vault/barman", "gs://example-pgseal-staging/barman"},
		clouds.Azure.Name: {"azure", "https://examplevault.blob.core.windows.net/vault/barman", "https://examplestaging.blob.core.windows.net/staging/barman"},
	}
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		p := pages[k.Name]
		page := "quickstart/" + p.page + ".md"
		c := k.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 14 * 24 * time.Hour})
		c.Connect(t, c.Deploy(t), 2*time.Second)
		r := open(t, page, c.Env(cloud.Host), c.Env(cloud.Restore), p.vault, c.VaultURL(), p.staging, c.StagingURL(),
			"--credential=managed-identity ", "") // this machine has none
		if k.Stock != nil {
			r.names = append(r.names, "barman-cloud-backup-list ", "/usr/bin/barman-cloud-backup-list "+strings.Join(k.Stock(c.Store), " ")+" ")
		}
		r.sessions["operator"] = operator(t, p.page, line(t, page, "archive_command ="), line(t, page, "pgseal backup --cloud-provider"))
		checkQuickStart(t, r.read(t, func(block) {}))
	})
}

// The page without a cloud.
func TestQuickStartInADirectory(t *testing.T) {
	t.Parallel()
	r := open(t, "quickstart/directory.md", nil, nil, "/srv/pgseal", pgtest.Dir(t))
	checkQuickStart(t, r.read(t, func(block) {}))
}

func checkQuickStart(t *testing.T, printed string) {
	t.Helper()
	for _, want := range []string{" is sealed: ", "sealed and verified", "(1 row)"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q was not printed:\n%s", want, printed)
		}
	}
}
