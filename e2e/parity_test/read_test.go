package parity_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/uploader/option"
)

func init() {
	cases["list: the table"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "list")
		put(t, s.vault, layout.Keep("list", first), "full")
		put(t, s.vault, layout.Keep("list", second), "standalone")
		s.same(t, 0, "backup-list", s.VaultURL(), "list")
		if a, b := s.pgseal(t, "backup-list", s.VaultURL()+"/", "list"), s.pgseal(t, "backup-list", s.VaultURL(), "list"); a.stdout != b.stdout {
			t.Errorf("a slash at the end makes another list, as in stock, which then sees no annotations:\n%s%s", a.stdout, b.stdout)
		}
		s.same(t, 0, "backup-list", s.VaultURL(), "nobody")
	}
	cases["list: JSON"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "listjson")
		sameJSON(t, s, "backup-list", s.VaultURL(), "listjson", "--format=json")
		sameJSON(t, s, "backup-list", s.VaultURL(), "nobody", "--format=json")
	}
	cases["list: no bucket"] = func(t *testing.T, s *scene) {
		s.same(t, 1, "backup-list", "s3://no-such-bucket/x", "list")
		s.same(t, 1, "backup-show", "s3://no-such-bucket/x", "list", first)
		s.same(t, 0, "backup-show", "-t", "s3://no-such-bucket/x", "list", first)
		s.same(t, 0, "check-wal-archive", "s3://no-such-bucket/x", "list")
	}
	cases["list: end_time is missing"] = func(t *testing.T, s *scene) {
		addBackup(t, s.vault, "noend", first, 1, "end_time=None")
		addBackup(t, s.vault, "noend", second, 3)
		if stock := s.stock(t, "backup-list", s.VaultURL(), "noend"); stock.code != 4 {
			t.Errorf("stock ends with %d now", stock.code)
		}
		ours := s.pgseal(t, "backup-list", s.VaultURL(), "noend")
		if ours.code != 0 || !strings.Contains(ours.stdout, first) || !strings.Contains(ours.stdout, second) {
			t.Errorf("%+v", ours)
		}
	}
	cases["list: a field of newer barman"] = func(t *testing.T, s *scene) {
		addBackup(t, s.vault, "newer", first, 1, "cluster_size=123", "data_checksums=on", "encryption=None", "something_new=1")
		ours := s.pgseal(t, "backup-list", s.VaultURL(), "newer", "--format", "json")
		var list struct {
			Backups []map[string]any `json:"backups_list"`
		}
		if err := json.Unmarshal([]byte(ours.stdout), &list); err != nil || ours.code != 0 || len(list.Backups) != 1 || list.Backups[0]["cluster_size"] != 123.0 {
			t.Errorf("%v %+v", err, ours)
		}
		if stock := s.stock(t, "backup-list", s.VaultURL(), "newer", "--format", "json"); strings.Contains(stock.stdout, first) {
			t.Error("Debian's barman reads it now; compare with it")
		}
	}
	cases["show: the console"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "show")
		for _, id := range []string{first, second, third, fourth, "before the move"} {
			s.same(t, 0, "backup-show", s.VaultURL(), "show", id)
		}
	}
	cases["show: JSON"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "showjson")
		for _, id := range []string{first, third, "before the move"} {
			sameJSON(t, s, "backup-show", s.VaultURL(), "showjson", id, "--format", "json")
		}
	}
	cases["show: exit codes"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "showcode")
		addBackup(t, s.vault, "showcode", "20260707T010203", 9, "backup_name=before the move")
		s.same(t, 1, "backup-show", s.VaultURL(), "showcode", "20250101T000000")
		s.same(t, 4, "backup-show", s.VaultURL(), "showcode", "no such name")
		s.same(t, 4, "backup-show", s.VaultURL(), "showcode", "before the move") // two have it
		s.same(t, 4, "backup-show", s.VaultURL(), "showcode", "20260606T010203") // cannot be read
		s.same(t, 3, "backup-show", s.VaultURL(), "showcode")
	}
	cases["check: the archive"] = func(t *testing.T, s *scene) {
		s.same(t, 0, "check-wal-archive", s.VaultURL(), "empty")
		addWAL(t, s.vault, "check", 1, 2)
		put(t, s.vault, layout.WALDir("check")+"0000000100000000/no WAL", "")
		s.same(t, 1, "check-wal-archive", s.VaultURL(), "check")
		put(t, s.vault, layout.WALDir("strays")+"0000000100000000/000000010000000000000001.gz.gz", "")
		s.same(t, 0, "check-wal-archive", s.VaultURL(), "strays")
	}
	cases["check: --timeline"] = func(t *testing.T, s *scene) {
		addWAL(t, s.vault, "timeline", 1, 2)
		put(t, s.vault, layout.WAL("timeline", "000000010000000000000001.00000028.backup", ""), "")
		put(t, s.vault, layout.WAL("timeline", "00000002.history", ""), "")
		for timeline, code := range map[string]int{"1": 1, "2": 1, "3": 0, "0": 3, "-1": 3, "x": 3} {
			s.same(t, code, "check-wal-archive", s.VaultURL(), "timeline", "--timeline="+timeline)
		}
		if ours := s.pgseal(t, "check-wal-archive", s.VaultURL(), "timeline", "--timeline=1"); !strings.Contains(ours.stderr, "Found 4 files in WAL archive equal to or newer than timeline 1") {
			t.Error(ours.stderr)
		}
	}
	cases["all: the store does not answer"] = func(t *testing.T, s *scene) {
		const nowhere = "http://127.0.0.1:9"
		for name, args := range map[string][]string{"backup-list": nil, "backup-show": {first}, "check-wal-archive": nil} {
			s.both2(t, name, append([]string{"--endpoint-url", nowhere, s.VaultURL(), "x"}, args...)...)
		}
	}
	cases["all: --test"] = func(t *testing.T, s *scene) {
		addBackup(t, s.vault, "test", first, 1)
		for name, args := range map[string][]string{"backup-list": nil, "backup-show": {first}, "check-wal-archive": nil} {
			s.same(t, 0, name, append([]string{"-t", s.VaultURL(), "test"}, args...)...)
		}
	}
	cases["all: flags of newer barman"] = func(t *testing.T, _ *scene) {
		for line, wrong := range map[string]bool{
			"barman-cloud-backup --min-chunk-size 8MB --max-bandwidth 10MB --tag k,v --tag k2,v2 --lz4 -e aws:kms --sse-kms-key-id x u s": false,
			"barman-cloud-backup --kms-key-name x u s":                                false,
			"barman-cloud-backup --max-bandwidth fast u s":                            true,
			"barman-cloud-wal-archive -e aws:kms --sse-kms-key-id x u s w":            false,
			"barman-cloud-wal-archive --kms-key-name x --history-tag k,v u s w":       false,
			"barman-cloud-backup-list --azure-credential default --aws-profile x u s": false,
			"barman-cloud-backup --snapshot-instance x u s":                           true,
		} {
			c, _, args, err := option.Find(strings.Fields(line))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Parse(args, func(string) (string, bool) { return "", false }); (err != nil) != wrong {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	cases["all: other stores"] = func(t *testing.T, s *scene) {
		manyKinds(t, s.vault, "stores")
		ask := func(url string, run func(name string, args ...string) outcome) map[string]outcome {
			return map[string]outcome{
				"list": run("backup-list", url, "stores"), "list JSON": run("backup-list", "--format", "json", url, "stores"),
				"show": run("backup-show", url, "stores", first), "check": run("check-wal-archive", url, "stores", "--timeline", "2"),
			}
		}
		want := ask(s.VaultURL(), func(name string, args ...string) outcome { return s.pgseal(t, name, args...) })
		compare := func(t *testing.T, got map[string]outcome) {
			for what, w := range want {
				if g := got[what]; g.code != w.code || g.stdout != w.stdout {
					t.Errorf("%s:\n%+v\nwant\n%+v", what, g, w)
				}
			}
		}
		for _, k := range []clouds.Kind{clouds.GCP, clouds.Azure} {
			c := k.Start(t, cloud.Config{Prefix: "barman", VaultRetention: time.Hour})
			vault, err := c.Open(t.Context(), cloud.Breakglass, c.VaultURL())
			if err != nil {
				t.Fatal(err)
			}
			manyKinds(t, vault, "stores")
			other := &scene{Cloud: c, vault: vault, links: t.TempDir()}
			other.Stock = func(cloud.Store) []string { return []string{"--cloud-provider", k.Provider} }
			compare(t, ask(c.VaultURL(), func(name string, args ...string) outcome { return other.pgseal(t, name, args...) }))
		}
		url := "file://" + filepath.Join(t.TempDir(), "vault")
		if err := filebucket.Init(url, filebucket.Lock{Default: time.Hour}); err != nil {
			t.Fatal(err)
		}
		var vault bucket.Bucket
		vault, err := filebucket.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		manyKinds(t, vault, "stores")
		compare(t, ask(url, func(name string, args ...string) outcome { return s.pgseal(t, name, args...) }))
	}
}

// both2 demands exit code 2 of both.
func (s *scene) both2(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, ours := s.both(t, name, args...); ours.code != 2 {
		t.Errorf("%s: %+v", name, ours)
	}
}

// sameJSON runs the two and demands the same document, but for what barman from 3.12.1 on has besides.
func sameJSON(t *testing.T, s *scene, name string, args ...string) {
	t.Helper()
	stock, ours := s.both(t, name, args...)
	var theirs, mine any
	if err := json.Unmarshal([]byte(stock.stdout), &theirs); err != nil {
		t.Fatalf("%v in %s%s", err, stock.stdout, stock.stderr)
	}
	if err := json.Unmarshal([]byte(ours.stdout), &mine); err != nil {
		t.Fatalf("%v in %s%s", err, ours.stdout, ours.stderr)
	}
	without(mine)
	if !reflect.DeepEqual(theirs, mine) {
		t.Errorf("%q\npgseal: %s\nstock:  %s", args, ours.stdout, stock.stdout)
	}
}

// without takes the two fields out, and fails nobody who has them right: they are the times of the others.
func without(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			without(item)
		}
	case map[string]any:
		for _, name := range []string{"begin_time", "end_time"} {
			iso, _ := v[name+"_iso"].(string)
			if at, err := time.Parse("2006-01-02T15:04:05.999999-07:00", iso); err == nil && v[name] == at.Format(time.ANSIC) {
				delete(v, name+"_iso")
			}
		}
		for _, item := range v {
			without(item)
		}
	}
}
