package drill_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// The drill's configuration is one that every version takes, the oldest and the newest. Only Debian's installation has
// pg_verifybackup and pg_amcheck; the others skip these.
func TestEveryVersion(t *testing.T) {
	for _, major := range []int{13, 17, 18} {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			dir := pgtest.Dir(t)
			vault, staging := "file://"+filepath.Join(dir, "vault"), "file://"+filepath.Join(dir, "staging")
			pgseal := func(args ...string) sealed.Outcome {
				return sealed.Run(t, pgtest.Command(context.Background(), build.Pgseal(t), args...))
			}
			pgseal("backup", "--test", "--retention", "1d", "--staging-url", staging, vault, sealed.Server).Want(t, 0)
			c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, major), Checksums: true, Settings: map[string]string{"max_prepared_transactions": "2"},
				ArchiveCommand: fmt.Sprintf("%s wal-archive %s %s %%p", build.Pgseal(t), vault, sealed.Server)})
			c.SQL("CREATE TABLE story AS SELECT generate_series(1, 1000) i")
			c.SQL("BEGIN; INSERT INTO story VALUES (0); PREPARE TRANSACTION 'open'")
			pgseal("backup", "-d", c.DSN(), "--immediate-checkpoint", "--staging-url", staging, vault, sealed.Server).Want(t, 0, "sealed")
			c.SQL("ROLLBACK PREPARED 'open'")
			pgseal("drill", "--staging-url", staging, "--scratch-directory", dir, "--pg-bindir", c.Install.BinDir, "--query",
				"SELECT 1 / (count(*) = 1000)::int FROM story; SELECT 1 / count(*) FROM pg_prepared_xacts",
				vault, sealed.Server).Want(t, 0, "drill of backup", "passed", "the query returned 2 rows")
			pgseal("status", "--staging-url", staging, vault, sealed.Server).Want(t, 0, "drilled 20")
		})
	}
}
