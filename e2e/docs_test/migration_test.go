package docs_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// A server that stock barman-cloud backs up moves over as the page says, and comes back with what it held before, between and
// after. One identity does it all; the rights are for other tests.
func TestMigration(t *testing.T) {
	t.Parallel()
	c := clouds.AWS.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 14 * 24 * time.Hour})
	c.Connect(t, c.Deploy(t), 2*time.Second)
	all := c.Env(cloud.Breakglass)
	old := strings.TrimSuffix(c.StagingURL(), "/barman") + "/old"
	r := open(t, "migration.md", all, all, "s3://example-old/barman", old,
		"s3://example-pgseal-vault/barman", c.VaultURL(), "s3://example-pgseal-staging/barman", c.StagingURL())

	stock := slices.Concat(c.Stock(c.Store), []string{old, server})
	r.configure(t, "archive_mode = on\narchive_command = '/usr/bin/barman-cloud-wal-archive "+strings.Join(stock, " ")+" %p'\n")
	r.cluster.SQL("CREATE TABLE story AS SELECT 'before' AS at, generate_series(1, 100) AS i")
	cmd := pgtest.Command(t.Context(), "/usr/bin/barman-cloud-backup", append([]string{"-d", r.cluster.DSN(), "--immediate-checkpoint"}, stock...)...)
	cmd.Env = append(cmd.Env, all...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("stock barman-cloud-backup: %v\n%s", err, out)
	}
	rows := 100 // and 30 until the switch
	printed := r.read(t, func(b block) {
		if b.language == "sh" {
			r.cluster.SQL("INSERT INTO story SELECT 'line " + strconv.Itoa(b.line) + "', generate_series(1, 10)")
			rows += 10
		}
		if b.language == "conf" || b.who == "restore" {
			r.cluster.ArchiveAll()
		}
	})
	for _, want := range []string{" is sealed: ", "failed_count      | 0"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q was not printed:\n%s", want, printed)
		}
	}

	// The last blocks have restored the old backup, with WAL of both places.
	restore := func(script string) string {
		return r.sessions["restore"].run(t, r.page, block{}, strings.NewReplacer(r.names...).Replace(script))
	}
	count := "psql -At -p 5499 -d postgres -c 'SELECT count(*) FROM story'\n"
	if got := restore(count); got != strconv.Itoa(rows)+"\n" {
		t.Errorf("across the switch %s rows came back, not %d", got, rows)
	}
	// Before the switch, from the old place alone; after it, from the new.
	again := "pg_ctl -D " + restored + " -m immediate -s stop; rm -r " + restored + "\npgseal restore %s main latest " + restored +
		" >&2\npg_ctl -D " + restored + " -o '-p 5499' -l restored.log -w -s start\n" +
		"until psql -p 5499 -d postgres -At -c 'SELECT pg_is_in_recovery()' | grep -qx f; do sleep 1; done\n"
	if got := restore(fmt.Sprintf(again, "s3://example-old/barman") + count); !strings.HasSuffix(got, "\n130\n") {
		t.Errorf("from the old place came %s", got)
	}
	if got := restore(fmt.Sprintf(again, "s3://example-pgseal-vault/barman") + count); !strings.HasSuffix(got, "\n"+strconv.Itoa(rows)+"\n") {
		t.Errorf("from the new place came %s, want %d", got, rows)
	}
}
