package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

// shelf is a vault and a staging place in directories.
type shelf struct {
	t              *testing.T
	dir            string
	vault, staging bucket.Bucket
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: t.TempDir()}
	open := func(name string, init func(string) error) bucket.Bucket {
		url := "file://" + filepath.Join(s.dir, name)
		if err := init(url); err != nil {
			t.Fatal(err)
		}
		b, err := filebucket.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s.vault = open("vault", func(u string) error { return filebucket.Init(u, filebucket.Lock{Default: 30 * 24 * time.Hour}) })
	s.staging = open("staging", filebucket.InitStaging)
	return s
}

func (s *shelf) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	return try(s.t, s.t.Context(), nil, append([]string{"pgseal"}, args...)...)
}

func (s *shelf) sweep() string {
	s.t.Helper()
	code, stdout, stderr := s.run("sweep", "--staging-url", s.staging.URL(), s.vault.URL())
	if code != 0 {
		s.t.Fatalf("%d %s", code, stderr)
	}
	return stdout
}

func (s *shelf) uploaded() *settest.Set {
	s.t.Helper()
	set := settest.New("main", time.Now())
	set.Upload(s.t, s.vault)
	return set
}

func (s *shelf) create(key, body string) {
	s.t.Helper()
	if _, err := s.vault.Create(s.t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) remove(key string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, "vault", key)); err != nil {
		s.t.Fatal(err)
	}
}

// stock is what barman-cloud-backup leaves: no manifest.
func (s *shelf) stock(change func(*backupinfo.Info)) *settest.Set {
	s.t.Helper()
	set := settest.New("main", time.Now())
	set.UploadArchives(s.t, s.vault)
	set.UploadWAL(s.t, s.vault)
	m := set.Manifest
	i := backupinfo.Info{Status: backupinfo.Done, ServerName: "cloud", Version: m.Cluster.Version, SystemID: fmt.Sprint(m.Cluster.SystemID), Timeline: 1,
		SegmentSize: settest.Size, BeginTime: m.Begin.Time, BeginLSN: m.Begin.LSN, EndTime: m.End.Time, EndLSN: m.End.LSN,
		Tablespaces: []backupinfo.Tablespace{{Name: "t", OID: 16385, Location: "/srv/ts"}}}
	if change != nil {
		change(&i)
	}
	body, err := backupinfo.Render(i)
	if err != nil {
		s.t.Fatal(err)
	}
	s.create(set.Key("backup.info"), string(body))
	return set
}

func TestSweepFromTheCommandLine(t *testing.T) {
	s := newShelf(t)
	set := s.uploaded()
	if out := s.sweep(); !strings.Contains(out, "1 servers, 1 backups looked at: 1 sealed") {
		t.Error(out)
	}
	if _, err := s.vault.Stat(t.Context(), set.Key("backup.info"), ""); err != nil {
		t.Error(err)
	}
	s.create(set.Key("data_9999.tar"), "x")
	code, stdout, stderr := s.run("sweep", "--format", "json", "--staging-url", s.staging.URL(), s.vault.URL())
	var r finalizer.SweepReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 || r.Tampered != 1 || !strings.Contains(stderr, "finding=tampered") {
		t.Errorf("%d %v %+v %s", code, err, r, stderr)
	}
	if code, _, stderr := s.run("sweep", s.vault.URL()); code != 3 || !strings.Contains(stderr, "--staging-url") {
		t.Errorf("%d %s", code, stderr)
	}
	if code, _, stderr := s.run("sweep", "--staging-url", s.staging.URL(), s.vault.URL()+"/none"); code != 1 || !strings.Contains(stderr, "there is no directory") {
		t.Errorf("%d %s", code, stderr)
	}
	code, stdout, _ = s.run("status", "--staging-url", s.staging.URL(), s.vault.URL(), "main")
	if code != 0 || !strings.Contains(stdout, "tampered: main/base/"+set.ID()+"/data_9999.tar") {
		t.Errorf("status: %d %s", code, stdout)
	}
}

func TestAuditFromTheCommandLine(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(s *shelf)
		code int
		says string // on one line of the output
	}{
		"an empty vault": {do: func(*shelf) {}, says: "Nothing is wrong."},
		"a healthy seal": {do: func(s *shelf) {
			s.uploaded()
			s.sweep()
		}, says: "Backups: 1, of which 1 are sealed"},
		"a healthy stock catalogue": {do: func(s *shelf) { s.stock(nil) }, says: "1 complete by another program's word."},
		"an archive added to a seal": {do: func(s *shelf) {
			set := s.uploaded()
			s.sweep()
			s.create(set.Key("data_0002.tar"), "x")
		}, code: 2, says: "CRITICAL extra (tampered), 20"},
		"an archive of a seal gone": {do: func(s *shelf) {
			set := s.uploaded()
			s.sweep()
			s.remove(set.Key("data.tar"))
		}, code: 2, says: "CRITICAL missing (damaged), 20"},
		"the manifest of a seal gone": {do: func(s *shelf) {
			set := s.uploaded()
			s.sweep()
			s.remove(set.Key("manifest.json"))
		}, code: 2, says: "CRITICAL other-seal (tampered), 20"},
		"complete and not sealed": {do: func(s *shelf) { s.uploaded() }, code: 1, says: "WARNING unsealed, 20"},
		"failed":                  {do: func(s *shelf) { s.stock(func(i *backupinfo.Info) { i.Status = "FAILED" }) }, code: 1, says: "WARNING failed"},
		"a status of its own":     {do: func(s *shelf) { s.stock(func(i *backupinfo.Info) { i.Status = "SYNCING" }) }, code: 2, says: "CRITICAL status"},
		"no end":                  {do: func(s *shelf) { s.stock(func(i *backupinfo.Info) { i.EndTime = time.Time{} }) }, code: 2, says: "CRITICAL field-missing"},
		"no main archive":         {do: func(s *shelf) { s.remove(s.stock(nil).Key("data.tar")) }, code: 2, says: "CRITICAL missing"},
		"a tablespace without its archive": {do: func(s *shelf) {
			s.remove(s.stock(nil).Key("16385.tar"))
		}, code: 2, says: "CRITICAL missing"},
		"a part missing in the middle": {do: func(s *shelf) {
			s.create(s.stock(nil).Key("data_0003.tar"), "x")
		}, code: 2, says: "data_0002.tar"},
		"two compressions":            {do: func(s *shelf) { s.create(s.stock(nil).Key("data.tar.gz"), "x") }, code: 2, says: "CRITICAL two-forms"},
		"an empty archive":            {do: func(s *shelf) { s.create(s.stock(nil).Key("data_0002.tar"), "") }, code: 2, says: "CRITICAL empty"},
		"a stranger a restore reads":  {do: func(s *shelf) { s.create(s.stock(nil).Key("data_x"), "x") }, code: 2, says: "CRITICAL extra"},
		"an empty backup.info":        {do: func(s *shelf) { s.create("main/base/20260101T000000/backup.info", "") }, code: 2, says: "CRITICAL unreadable"},
		"a directory of another name": {do: func(s *shelf) { s.create("main/base/x/backup.info", "") }, code: 1, says: "WARNING strange"},
		"an id of the future":         {do: func(s *shelf) { s.create("main/base/21260101T000000/data.tar", "x") }, code: 2, says: "CRITICAL future"},
		"needed WAL missing": {do: func(s *shelf) {
			s.stock(nil)
			s.remove("main/wals/0000000100000000/000000010000000000000004")
		}, code: 2, says: "CRITICAL wal-missing"},
		"a hole in the WAL": {do: func(s *shelf) {
			s.stock(nil).UploadSegment(s.t, s.vault, 9)
		}, code: 2, says: "CRITICAL wal-hole"},
		"a .partial beside a segment": {do: func(s *shelf) {
			s.stock(nil)
			s.create("main/wals/0000000100000000/000000010000000000000004.partial", "x")
		}, code: 1, says: "WARNING wal-partial"},
		"a segment in two compressions": {do: func(s *shelf) {
			s.stock(nil)
			s.create("main/wals/0000000100000000/000000010000000000000004.gz", "x")
		}, code: 1, says: "WARNING wal-double"},
		"a history file that leads away": {do: func(s *shelf) {
			s.stock(nil)
			s.create("main/wals/00000002.history", "1\t0/1\tx\n")
		}, code: 1, says: "WARNING history-fork"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			tc.do(s)
			code, stdout, stderr := s.run("audit", s.vault.URL(), "main")
			if code != tc.code || !strings.Contains(stdout, tc.says) || stderr != "" && !strings.Contains(stderr, "WARN") {
				t.Errorf("%d %s %s", code, stdout, stderr)
			}
			for line := range strings.Lines(stdout) {
				if utf8.RuneCountInString(line) > 101 || strings.Contains(line, "\x1b") {
					t.Errorf("%q", line)
				}
			}
			code, stdout, _ = s.run("audit", "--format", "json", s.vault.URL(), "main")
			var r audit.Report
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != tc.code || r.Format != 1 || (len(r.Problems) == 0) != (code == 0) {
				t.Errorf("%d %v %s", code, err, stdout)
			}
		})
	}
}

func TestAuditThatCannotLook(t *testing.T) {
	s := newShelf(t)
	for _, args := range [][]string{{"audit", s.vault.URL() + "/none", "main"}, {"audit", s.vault.URL(), "../x"}, {"audit", "x://y", "main"}} {
		if code, stdout, stderr := s.run(args...); code != 3 || stdout != "" || !strings.HasPrefix(stderr, "ERROR: ") {
			t.Errorf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
	if _, err := s.vault.Stat(t.Context(), layout.BackupInfo("main", "20260101T000000"), ""); err == nil {
		t.Error("it wrote something")
	}
}
