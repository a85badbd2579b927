package parity_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// twins makes the same catalogue for two servers, one for stock and one for pgseal to change.
func twins(t *testing.T, s *scene, name string, fill func(server string)) (stocks, ours string) {
	t.Helper()
	for _, server := range []string{name + "-stock", name + "-pgseal"} {
		fill(server)
	}
	return name + "-stock", name + "-pgseal"
}

// sameChange runs the two, each on its own server, and demands the same exit code and the same keys afterwards.
func sameChange(t *testing.T, s *scene, code int, stocks, ours, command string, before, after []string) (stock, pgseal outcome) {
	t.Helper()
	args := func(server string) []string { return slices.Concat(before, []string{s.VaultURL(), server}, after) }
	stock, pgseal = s.stock(t, command, args(stocks)...), s.pgseal(t, command, args(ours)...)
	if stock.code != code || pgseal.code != code {
		t.Errorf("%s %q: exit code %d, stock %d, want %d\n%s%s\nstock:\n%s%s", command, before, pgseal.code, stock.code, code, pgseal.stdout, pgseal.stderr, stock.stdout, stock.stderr)
	}
	left := func(server string) (names []string) {
		for _, key := range keys(t, s.vault, server+"/") {
			names = append(names, strings.TrimPrefix(key, server))
		}
		return names
	}
	if theirs, mine := left(stocks), left(ours); !slices.Equal(theirs, mine) {
		t.Errorf("%s %q leaves\n%q, stock\n%q", command, before, mine, theirs)
	}
	return stock, pgseal
}

func init() {
	three := func(s *scene, t *testing.T) func(server string) {
		return func(server string) {
			addWAL(t, s.vault, server, 1, 2)
			addBackup(t, s.vault, server, first, 3)
			addWAL(t, s.vault, server, 4)
			addBackup(t, s.vault, server, second, 5)
			addWAL(t, s.vault, server, 6)
			addBackup(t, s.vault, server, third, 7)
			put(t, s.vault, layout.WAL(server, "00000002.history", ""), "1\t0/1\tno reason\n")
			put(t, s.vault, layout.WAL(server, "000000010000000000000003.00000028.backup", ".gz"), "")
		}
	}
	cases["keep: target, status, release"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "keep", func(server string) { addBackup(t, s.vault, server, first, 1, "backup_name=by name") })
		status := func(id, want string) {
			stock, pgseal := sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"-s"}, []string{id})
			if stock.stdout != want || pgseal.stdout != want {
				t.Errorf("%q, stock %q", pgseal.stdout, stock.stdout)
			}
		}
		status(first, "Keep: nokeep\n")
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"--target", "full"}, []string{first})
		status("by name", "Keep: full\n")
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"--target", "full"}, []string{first})
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"--target=standalone"}, []string{"by name"})
		status(first, "Keep: standalone\n")
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"--release"}, []string{first})
		status(first, "Keep: nokeep\n")
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"-r"}, []string{"20200101T000000"})
	}
	cases["keep: exit codes"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "keepcode", func(server string) {
			addBackup(t, s.vault, server, first, 1, "status=FAILED", "end_time=None")
		})
		sameChange(t, s, 1, stocks, ours, "backup-keep", []string{"--target", "full"}, []string{first})
		sameChange(t, s, 4, stocks, ours, "backup-keep", []string{"--target", "full"}, []string{second})
		sameChange(t, s, 4, stocks, ours, "backup-keep", []string{"-s"}, []string{"no name"})
		sameChange(t, s, 3, stocks, ours, "backup-keep", nil, []string{first})
		sameChange(t, s, 3, stocks, ours, "backup-keep", []string{"-r", "-s"}, []string{first})
		sameChange(t, s, 0, stocks, ours, "backup-keep", []string{"-t", "-s"}, []string{first})
	}
	cases["keep: in locked vaults"] = func(t *testing.T, _ *scene) { everyLock(t, keepInALockedVault) }

	cases["keep: --retain-until"] = func(t *testing.T, _ *scene) { everyLock(t, keepWithALongerLock) }

	cases["delete: one backup"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "delete", three(s, t))
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-b", second}, nil) // an older one needs the WAL
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-b", first, "--batch-size", "2"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"--backup-id", first}, nil) // again
		for o, err := range s.vault.ListVersions(t.Context(), layout.BackupDir(ours, first)) {
			t.Errorf("left: %+v %v", o, err)
		}
	}
	cases["delete: REDUNDANCY"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "redundancy", three(s, t))
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "redundancy 3"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"--retention-policy", "REDUNDANCY 2"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY 1"}, nil)
	}
	cases["delete: RECOVERY WINDOW"] = func(t *testing.T, s *scene) {
		now := time.Now().UTC()
		day := func(ago int) string { return now.AddDate(0, 0, -ago).Format("20060102T150405") }
		stocks, ours := twins(t, s, "window", func(server string) {
			for n, ago := range []int{50, 35, 20, 10, 1} {
				addBackup(t, s.vault, server, day(ago), 2*n+1, "end_time="+stamp(day(ago))+"+00:00")
			}
			addBackup(t, s.vault, server, day(0), 20, "status=STARTED", "end_time=None")
		})
		for _, policy := range []string{"RECOVERY WINDOW OF 3 MONTHS", "recovery window of 4 weeks", "RECOVERY WINDOW OF 15 DAYS", "RECOVERY WINDOW OF 2 DAYS"} {
			sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", policy}, nil)
		}
	}
	cases["delete: kept backups"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "kept", func(server string) {
			three(s, t)(server)
			put(t, s.vault, layout.Keep(server, first), "standalone")
		})
		sameChange(t, s, 1, stocks, ours, "backup-delete", []string{"-b", first}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-b", second}, nil) // by id, a standalone one holds all WAL
		stocks, ours = twins(t, s, "keptbypolicy", func(server string) {
			three(s, t)(server)
			put(t, s.vault, layout.Keep(server, first), "standalone")
		})
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY 1"}, nil)
		stocks, ours = twins(t, s, "keptfull", func(server string) {
			three(s, t)(server)
			put(t, s.vault, layout.Keep(server, first), "full")
		})
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY 1"}, nil)
	}
	cases["delete: timelines"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "timelines", func(server string) {
			three(s, t)(server)
			addBackup(t, s.vault, server, fourth, 9, "timeline=2", "begin_wal=000000020000000000000009", "end_wal=000000020000000000000009")
		})
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY 2"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY 1"}, nil)
	}
	cases["delete: exit codes"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "deletecode", three(s, t))
		sameChange(t, s, 3, stocks, ours, "backup-delete", []string{"-r", "REDUNDANCY x"}, nil)
		sameChange(t, s, 3, stocks, ours, "backup-delete", nil, nil)
		sameChange(t, s, 3, stocks, ours, "backup-delete", []string{"-b", first, "-r", "REDUNDANCY 1"}, nil)
		sameChange(t, s, 4, stocks, ours, "backup-delete", []string{"-b", "no name"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-b", "20200101T000000"}, nil)
		sameChange(t, s, 0, stocks, ours, "backup-delete", []string{"-t", "-b", first}, nil)
		for _, server := range []string{stocks, ours} {
			put(t, s.vault, layout.BackupInfo(server, fourth), "no backup.info\n")
		}
		sameChange(t, s, 1, stocks, ours, "backup-delete", []string{"-b", first}, nil)
	}
	cases["delete: --dry-run"] = func(t *testing.T, s *scene) {
		stocks, ours := twins(t, s, "dry", three(s, t))
		for _, what := range [][]string{{"-b", first}, {"-r", "REDUNDANCY 1"}} {
			stock, pgseal := sameChange(t, s, 0, stocks, ours, "backup-delete", append(what, "--dry-run"), nil)
			quoted := regexp.MustCompile(`'[^']*'`)
			told := func(text, server string) []string {
				names := quoted.FindAllString(strings.ReplaceAll(text, server, "SERVER"), -1)
				slices.Sort(names)
				return names
			}
			if theirs, mine := told(stock.stdout, stocks), told(pgseal.stdout, ours); !slices.Equal(theirs, mine) || strings.Count(stock.stdout, "\n") != strings.Count(pgseal.stdout, "\n") {
				t.Errorf("pgseal:\n%s\nstock:\n%s", pgseal.stdout, stock.stdout)
			}
		}
	}
	cases["delete: the last complete backup"] = func(t *testing.T, s *scene) {
		addBackup(t, s.vault, "last", first, 1)
		addBackup(t, s.vault, "last", second, 3, "status=FAILED", "end_time=None")
		for _, what := range [][]string{{"-b", first}, {"-b", first, "-m", "0"}, {"-m", "2", "-b", first}} {
			if o := s.pgseal(t, "backup-delete", append(what, s.VaultURL(), "last")...); o.code != 1 || !strings.Contains(o.stderr, "minimum redundancy") {
				t.Errorf("%+v", o)
			}
		}
		for _, what := range [][]string{{"-r", "REDUNDANCY 0"}, {"-r", "RECOVERY WINDOW OF 0 DAYS"}, {"-b", second}} {
			if o := s.pgseal(t, "backup-delete", append(what, s.VaultURL(), "last")...); o.code != 0 {
				t.Errorf("%+v", o)
			}
		}
		if all := keys(t, s.vault, layout.BaseDir("last")); len(all) != 5 {
			t.Errorf("%q", all)
		}
	}
	cases["delete: in locked vaults"] = func(t *testing.T, _ *scene) { everyLock(t, deleteInALockedVault) }
}

// everyLock tells a story in a vault of each kind that locks for a day, and then in a place of the same kind where nothing
// is locked: what the vault will be when its locks have ended.
func everyLock(t *testing.T, story func(t *testing.T, s *scene, locked bool)) {
	for _, k := range clouds.All() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			c := k.Start(t, cloud.Config{Prefix: "barman", VaultRetention: 24 * time.Hour})
			for _, url := range []string{c.VaultURL(), c.StagingURL()} {
				place, err := c.Open(t.Context(), cloud.Breakglass, url)
				if err != nil {
					t.Fatal(err)
				}
				story(t, &scene{Cloud: c, vault: place, links: t.TempDir()}, url == c.VaultURL())
			}
		})
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		dir := "file://" + t.TempDir()
		if err := errors.Join(filebucket.Init(dir+"/vault", filebucket.Lock{Default: 24 * time.Hour}), filebucket.InitStaging(dir+"/staging")); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"/vault", "/staging"} {
			place, err := filebucket.Open(dir + name)
			if err != nil {
				t.Fatal(err)
			}
			story(t, &scene{vault: place, links: t.TempDir()}, name == "/vault")
		}
	})
}

// asks runs a command of pgseal on the server "main" and demands an exit code.
func (s *scene) asks(t *testing.T, code int, command string, before []string, after ...string) outcome {
	t.Helper()
	o := s.pgseal(t, command, slices.Concat(before, []string{s.vault.URL(), "main"}, after)...)
	if o.code != code {
		t.Errorf("%s %q: %+v", command, before, o)
	}
	return o
}

func keepInALockedVault(t *testing.T, s *scene, locked bool) {
	addBackup(t, s.vault, "main", first, 1)
	ask := func(code int, args ...string) outcome {
		t.Helper()
		return s.asks(t, code, "backup-keep", args, first)
	}
	if locked {
		s.who = cloud.Operator
	}
	ask(0, "--target", "full")
	ask(0, "--target", "full")
	if locked && (s.Cloud == nil || !s.Versions) { // where versions are kept, a release hides
		for _, args := range [][]string{{"--release"}, {"--target", "standalone"}} {
			if o := ask(1, args...); !strings.Contains(o.stderr, "stays kept") || !strings.Contains(o.stderr, "under retention (until 20") {
				t.Errorf("%+v", o)
			}
		}
		if o := ask(0, "--status"); o.stdout != "Keep: full\n" {
			t.Errorf("%+v", o)
		}
		return
	}
	ask(0, "--target", "standalone")
	if o := ask(0, "--status"); o.stdout != "Keep: standalone\n" {
		t.Errorf("%+v", o)
	}
	ask(0, "--release")
	if o := ask(0, "--status"); o.stdout != "Keep: nokeep\n" {
		t.Errorf("%+v", o)
	}
}

func keepWithALongerLock(t *testing.T, s *scene, locked bool) {
	addBackup(t, s.vault, "main", first, 1)
	until := time.Now().AddDate(0, 0, 90).UTC().Truncate(24 * time.Hour)
	args := []string{"--target", "full", "--retain-until", until.Format("2006-01-02")}
	if !locked || s.Cloud != nil && !s.ObjectLocks {
		o := s.asks(t, 1, "backup-keep", args, first)
		if !strings.Contains(o.stderr, "its lock cannot be extended") {
			t.Errorf("%+v", o)
		}
		return
	}
	s.asks(t, 0, "backup-keep", args, first)
	for _, key := range keys(t, s.vault, "main/") {
		obj, err := s.vault.Stat(t.Context(), key, "")
		if err != nil || obj.RetainUntil.Before(until) && key != layout.Keep("main", first) {
			t.Errorf("%+v, %v", obj, err)
		}
	}
	s.asks(t, 3, "backup-keep", []string{"--release", "--retain-until", "2099-01-01"}, first)
}

func deleteInALockedVault(t *testing.T, s *scene, locked bool) {
	addWAL(t, s.vault, "main", 1)
	addBackup(t, s.vault, "main", first, 2)
	put(t, s.vault, layout.Manifest("main", first), "{}")
	addBackup(t, s.vault, "main", second, 3)
	before := keys(t, s.vault, "main/")
	if !locked {
		s.asks(t, 0, "backup-delete", []string{"-r", "REDUNDANCY 1"})
		for o, err := range s.vault.ListVersions(t.Context(), "main/") {
			if err != nil || o.DeleteMarker || !strings.HasPrefix(o.Key, layout.BackupDir("main", second)) && !strings.HasSuffix(o.Key, "3.gz") {
				t.Errorf("left: %+v %v", o, err)
			}
		}
		if all := keys(t, s.vault, "main/"); len(all) != 6 {
			t.Errorf("%q", all)
		}
		return
	}
	if o := s.asks(t, 1, "backup-delete", []string{"-b", first}); !strings.Contains(o.stderr, "nothing of it was deleted") || !strings.Contains(o.stderr, "under retention (until 20") {
		t.Errorf("%+v", o)
	}
	if o := s.asks(t, 0, "backup-delete", []string{"-r", "REDUNDANCY 1"}); !strings.Contains(o.stdout, "does not need backup "+first) || !strings.Contains(o.stdout, "until 20") {
		t.Errorf("%+v", o)
	}
	if after := keys(t, s.vault, "main/"); !slices.Equal(before, after) {
		t.Errorf("%q, was %q", after, before)
	}
}
