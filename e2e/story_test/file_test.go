package story_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestTheStoryOnFiles: no cloud, no function; the command seals what it has
// uploaded, in directories that it made itself, and PostgreSQL and tar read
// them.
func TestTheStoryOnFiles(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	vault := filepath.Join(dir, "vault")
	p := place{vaultURL: "file://" + vault, stagingURL: "file://" + filepath.Join(dir, "staging"), env: []string{"PGSEAL_RETENTION=1d"}}
	run(t, program(p.env, build.Pgseal(t), "backup", "--test", "--staging-url", p.stagingURL, p.vaultURL, server)).want(t, 0) // makes the vault
	source := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true, Tablespaces: 1, OddTablespace: true})
	source.LoadPgbench(1)
	stop := source.RunPgbench(2)
	id := sealed(t, p.backupOf(t, source, "-S", "8MB", "--gzip", "-n", "nightly"))
	stop()
	want := counts(source, source)
	source.ArchiveAll()
	source.Stop()

	base := filepath.Join(vault, filepath.FromSlash(layout.BackupDir(server, id)))
	info, err := os.ReadFile(filepath.Join(base, "backup.info"))
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(info), "status=DONE\n", "backup_name=nightly\n")
	run(t, program(nil, build.Pgseal(t), "status", "--staging-url", p.stagingURL, p.vaultURL, server)).want(t, 0, id, "sealed")
	for _, change := range []string{`echo x >>"$0"`, `: >"$0"`} {
		if o := run(t, program(nil, "/bin/sh", "-c", change, filepath.Join(base, "backup.info"))); o.code == 0 && os.Geteuid() == 0 {
			t.Errorf("%s is let through", change)
		}
	}

	restoredDir := pgtest.Dir(t)
	r := restored{data: filepath.Join(restoredDir, "data"), tablespaces: map[string]string{}}
	untar := func(oid, to string) {
		t.Helper()
		script := `set -e; mkdir -m 700 "$1"; for a in "$0"` + oid + `.tar.gz "$0"` + oid + `_*.tar.gz; do ! [ -e "$a" ] || tar -xzf "$a" -C "$1"; done`
		run(t, program(nil, "/bin/bash", "-c", script, base+"/", to)).want(t, 0)
	}
	untar(layout.Data, r.data)
	for _, ts := range source.Tablespaces {
		r.tablespaces[ts.OID] = filepath.Join(restoredDir, ts.OID)
		untar(ts.OID, r.tablespaces[ts.OID])
	}
	// Not cp: what is in the vault is read-only, and PostgreSQL wants to write to what it gets.
	checkRecovery(t, source, r, pgtest.RecoveryOptions{RestoreCommand: "install -m 600 " + filepath.Join(vault, filepath.FromSlash(layout.WALDir(server))) + "/*/%f %p"}, want)
}
