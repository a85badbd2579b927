package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// nothingStored fails the test when anything was written to vault or staging
// but WAL.
func (p places) nothingStored(t testing.TB) {
	t.Helper()
	for _, key := range append(keys(t, p.vault, ""), keys(t, p.staging, "")...) {
		if !strings.HasPrefix(key, server+"/wals/") {
			t.Errorf("%s was stored", key)
		}
	}
}

// TestRefusedBeforeTheFirstByte: one clear line, the right exit code, nothing
// stored and nothing claimed.
func TestRefusedBeforeTheFirstByte(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	c.SQL("CREATE ROLE plain LOGIN")
	locked := filePlaces(t)
	open := filePlaces(t)
	unlocked := "file://" + strings.TrimPrefix(open.stagingURL, "file://")
	dsn := func(more string) []string { return []string{"-d", c.DSN() + more} }

	for _, tc := range []struct {
		name           string
		args           []string // before URL and SERVER
		vault, staging string
		code           int
		says           []string
	}{
		{"a user without privileges is told which to grant", dsn(" user=plain"), p.vaultURL, p.stagingURL, 1,
			[]string{`GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO "plain"`, "pg_backup_stop"}},
		{"a server that does not answer", []string{"-h", "127.0.0.1", "-p", "1"}, p.vaultURL, p.stagingURL, 1, []string{"connection to PostgreSQL", "127.0.0.1"}},
		{"staging is the vault", dsn(""), p.vaultURL, p.vaultURL + "/", 3, []string{"is the vault itself"}},
		{"staging inside the vault", dsn(""), p.vaultURL, p.vaultURL + "/staging", 3, []string{"inside of one another"}},
		{"staging with a lock", dsn(""), p.vaultURL, locked.vaultURL, 1, []string{"staging: refused", "has a lock"}},
		{"a vault without a lock, and one is required", append(dsn(""), "--require-lock"), unlocked, p.stagingURL, 1, []string{"it has no lock", "--require-lock"}},
		{"a vault that would not lock this backup, and a lock is required", append(dsn(""), "--require-lock"), p.vaultURL, p.stagingURL, 1, []string{"no default retention"}},
		{"retention in a vault without a lock", append(dsn(""), "--retention", "1d"), unlocked, p.stagingURL, 1, []string{"has no lock", "no retention can be set"}},
		{"retention that has ended", append(dsn(""), "--retain-until", "2020-01-01"), p.vaultURL, p.stagingURL, 1, []string{"in the past"}},
		{"a wrong scheme", dsn(""), "ftp://x/y", p.stagingURL, 3, []string{"not the URL of a store"}},
		{"a directory that is not mounted", dsn(""), "file:///nonexistent/pgseal/vault", p.stagingURL, 3, []string{"/nonexistent/pgseal", "mount the disk"}},
		{"no staging", dsn(""), p.vaultURL, "", 3, []string{"PGSEAL_STAGING_URL"}},
		{"a setting of the finalizer that is none", dsn(""), p.vaultURL, p.stagingURL, 3, []string{"PGSEAL_WAL_CHECK"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{"backup"}, tc.args...)
			if tc.staging != "" {
				args = append(args, "--staging-url", tc.staging)
			}
			var env []string
			if tc.says[0] == "PGSEAL_WAL_CHECK" {
				env = append(env, "PGSEAL_WAL_CHECK=maybe")
			}
			o := run(t, command(t, env, append(args, tc.vault, server)...))
			if o.code != tc.code {
				t.Errorf("exit code %d, want %d", o.code, tc.code)
			}
			has(t, o.stderr, tc.says...)
			if n := strings.Count(o.stderr, "ERROR"); n != 1 {
				t.Errorf("%d lines of errors:\n%s", n, o.stderr)
			}
			t.Log(o.stderr)
		})
	}
	p.nothingStored(t)
	open.nothingStored(t)
}

// TestRefusedByTheStore: what only a cloud can answer.
func TestRefusedByTheStore(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		in := func(bucket, path string) string {
			return strings.Replace(strings.TrimSuffix(p.vaultURL, "barman")+path, "/"+store.VaultName()+"/", "/"+bucket+"/", 1)
		}
		silent := func(text string) string { return strings.ReplaceAll(text, k.Address(store.Store), "127.0.0.1:1") }
		var silence []string
		for _, variable := range store.Env(cloud.Host) {
			silence = append(silence, silent(variable))
		}
		for _, tc := range []struct {
			name           string
			vault, staging string
			args           []string
			env            []string
			code           int
			says           []string
		}{
			{"a bucket that is not there", in("no-such-bucket", "x"), p.stagingURL, nil, store.Env(cloud.Breakglass), 1, []string{"no-such-bucket", "not found", "404"}},
			{"a staging bucket that is not there", p.vaultURL, in("no-such-bucket", "x"), nil, store.Env(cloud.Breakglass), 1, []string{"staging", "no-such-bucket", "not found"}},
			{"staging in the locked bucket", p.vaultURL, in(store.VaultName(), "staging"), nil, nil, 1, []string{"has a lock"}},
			{"a bucket without a lock, and one is required", in(store.StagingName(), "elsewhere"), p.stagingURL, []string{"--require-lock"}, nil, 1, []string{"it has no lock"}},
			{"wrong credentials", p.vaultURL, p.stagingURL, nil, k.Wrong(store.Store), 1, []string{"vault", "denied"}},
			{"the test of a store that does not answer", silent(p.vaultURL), silent(p.stagingURL), []string{"-t"}, silence, 2, []string{"127.0.0.1:1"}},
			{"the test of stores that are fine", p.vaultURL, p.stagingURL, []string{"-t"}, nil, 0, nil},
		} {
			t.Run(tc.name, func(t *testing.T) {
				args := append([]string{"backup", "-d", c.DSN(), "--staging-url", tc.staging}, tc.args...)
				o := run(t, command(t, append(p.env, tc.env...), append(args, tc.vault, server)...))
				if o.code != tc.code {
					t.Errorf("exit code %d, want %d", o.code, tc.code)
				}
				has(t, o.stderr, tc.says...)
				t.Log(o.stderr)
			})
		}
		p.nothingStored(t)
		noUploads(t, store)
	})
}

// TestALockThatIsNotAsked: a bucket that can lock, and does not by itself.
func TestALockThatIsNotAskedFor(t *testing.T) {
	t.Parallel()
	_, p := cloudPlaces(t, clouds.AWS, cloud.Config{})
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	o := p.backup(t, c, "--require-lock")
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	has(t, o.stderr, "no default retention", "--require-lock")
	p.nothingStored(t)
}

// TestArchivingMustWork: off or failing, unless somebody says that WAL is kept
// by other means.
func TestArchivingMustWork(t *testing.T) {
	p := filePlaces(t)
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 17)})
	o := p.backup(t, c)
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	has(t, o.stderr, "archive_mode is off", "PGSEAL_WAL_CHECK=off")
	p.nothingStored(t)

	p.env = append(p.env, "PGSEAL_WAL_CHECK=off")
	id := p.mustBackup(t, c)
	has(t, content(t, p.vault, server+"/base/"+id+"/backup.info"), "status=DONE")

	failing := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 17), ArchiveCommand: "false"})
	failing.SwitchWAL()
	eventually(t, "a failure of the archiver", func() bool { return failing.SQL("SELECT failed_count > 0 FROM pg_stat_archiver") == "t" })
	p.env = nil
	o = p.backup(t, failing)
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	has(t, o.stderr, "it fails now")
}

// TestAnUnlockedVaultIsAWarning: without --require-lock, pgseal says so and
// goes on.
func TestAnUnlockedVaultIsAWarning(t *testing.T) {
	p := filePlaces(t)
	other := filePlaces(t)
	p.vaultURL, p.vault = other.stagingURL, other.staging
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	o := p.backup(t, c)
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	has(t, o.stderr, "WARN the vault does not protect this backup: it has no lock")
}

// TestFilesOfTheStandby: the session is the primary's, and where it says its
// files are, this host has those of a standby.
func TestFilesOfTheStandby(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), SymlinkPGDATA: true})
	s := c.Standby()
	if err := os.Remove(c.DataDir); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.DataDir, c.DataDir); err != nil {
		t.Fatal(err)
	}
	o := p.backup(t, c)
	if o.code != 1 {
		t.Errorf("exit code %d", o.code)
	}
	has(t, o.stderr, "session and files belong to different servers")
	p.nothingStored(t)
	noSession(t, c)
}

// TestAVaultIsMadeOnItsFirstUse: with the retention that was asked for.
func TestAVaultIsMadeOnItsFirstUse(t *testing.T) {
	dir := pgtest.Dir(t)
	p := places{vaultURL: "file://" + filepath.Join(dir, "v"), stagingURL: "file://" + filepath.Join(dir, "s")}
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15)})
	p.env = []string{"PGSEAL_WAL_CHECK=off"}
	id := p.mustBackup(t, c, "--retention", "1d", "--require-lock")
	p.vault = openFile(t, p.vaultURL)
	lock, err := p.vault.Lock(t.Context())
	if err != nil || !lock.Enabled {
		t.Fatal(lock, err)
	}
	for _, key := range keys(t, p.vault, server+"/base/"+id) {
		obj, err := p.vault.Stat(t.Context(), key, "")
		if err != nil || obj.RetainUntil.IsZero() {
			t.Errorf("%s: retained until %v, %v", key, obj.RetainUntil, err)
		}
	}
	if err := filebucket.Init(p.vaultURL, filebucket.Lock{Default: lock.Default}); err != nil {
		t.Error(err)
	}
}
