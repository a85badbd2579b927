package attack_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func addedBeforeTheSeal(t *testing.T, s *scene) {
	for n, name := range []string{"data_9999.tar", "data.tar.gz", "16385_0001.tar", "data.x/y"} {
		server := fmt.Sprint("added-before", n)
		set := settest.New(server, time.Now())
		set.Upload(t, s.vault)
		s.create(t, set.Key(name), []byte("added"))
		s.isRejected(t, server, set.ID(), finalizer.ClassSet, "extra")
	}
}

// The true uploader meets the forged manifest, and says so; what is there is rejected.
func manifestBeforeTheUploader(t *testing.T, s *scene) {
	const server = "manifest"
	source := pgtest.New(t, pgtest.Options{
		Install:        pgtest.Find(t, 15),
		ArchiveCommand: build.Pgseal(t) + " wal-archive " + s.VaultURL() + " " + server + " %p", Env: s.Env(cloud.Host),
	})
	id := ""
	var watching sync.WaitGroup
	slow := s.Faulty().Add(cloud.Fault{Op: cloud.Create, Identity: cloud.Host, Key: "*/" + server + "/base/*/data.tar", Action: cloud.Slow, Delay: 3 * time.Second, Times: 1})
	watching.Go(func() {
		for id == "" && t.Context().Err() == nil {
			for o, err := range s.staging.List(t.Context(), layout.BaseDir(server)) {
				if err == nil {
					id, _, _ = strings.Cut(strings.TrimPrefix(o.Key, layout.BaseDir(server)), "/")
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		forged := settest.New(server, time.Now())
		forged.Manifest.BackupID = id
		forged.UploadManifest(t, s.vault)
	})
	code, _, out := s.pgseal(t, cloud.Host, "backup", "-d", source.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL(), s.VaultURL(), server)
	watching.Wait()
	if code == 0 || slow() != 1 || !strings.Contains(out, layout.Manifest(server, id)) {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if b := s.status(t, server, id); b.State == "sealed" {
		t.Errorf("%+v", b)
	}
	s.isRejected(t, server, id, finalizer.ClassManifest, "malformed")

	liar := settest.New("liar", time.Now())
	liar.UploadArchives(t, s.vault)
	o := liar.Manifest.Objects[0]
	o.Name = "data_0002.tar"
	liar.Manifest.Objects = append(liar.Manifest.Objects, o)
	liar.UploadWAL(t, s.vault)
	liar.UploadManifest(t, s.vault)
	s.isRejected(t, "liar", liar.ID(), finalizer.ClassSet, "missing")
}

// An id of next year would hide every true backup; a name used twice, one of two.
func forgedIDs(t *testing.T, s *scene) {
	future := settest.New("future", time.Now().AddDate(1, 0, 0))
	future.Upload(t, s.vault)
	s.isRejected(t, "future", future.ID(), finalizer.ClassTime, "time")
	stale := settest.New("future", time.Now().AddDate(1, 0, 1)) // whose times are of today
	stale.Manifest.Begin.Time, stale.Manifest.End.Time = time.Now().Add(-time.Minute).Truncate(time.Microsecond), time.Now().Truncate(time.Microsecond)
	stale.UploadArchives(t, s.vault)
	stale.UploadManifest(t, s.vault)
	s.isRejected(t, "future", stale.ID(), finalizer.ClassManifest, "malformed")
	s.audited(t, "future", "future", future.ID())
	s.audited(t, "future", "future", stale.ID())

	first, second := settest.New("twice", time.Now().Add(-time.Hour)), settest.New("twice", time.Now())
	first.UploadWAL(t, s.vault)
	for _, set := range []*settest.Set{first, second} {
		set.Manifest.BackupName = "nightly"
		set.UploadArchives(t, s.vault)
		set.UploadManifest(t, s.vault)
		s.isSealed(t, "twice", set.ID())
	}
	s.audited(t, "twice", "name-twice", first.ID())
}

// audited: the audit has that problem of a backup.
func (s *scene) audited(t *testing.T, server, code, id string) {
	t.Helper()
	if r := s.audit(t, server); !slices.ContainsFunc(r.Problems, func(p audit.Problem) bool { return p.Code == code && p.BackupID == id }) {
		t.Errorf("the audit does not find %s of %s: %+v", code, id, r.Problems)
	}
}

// Hundreds of markers of nothing, of records that nobody began, and a manifest that asks for 4 TiB of WAL: another
// server's backup is sealed all the same, by its event and by the sweep, which reads no markers.
func floods(t *testing.T, all *scene) {
	s := begin(t, all.Kind, "")
	now := time.Now()
	const markers, records = 300, 50
	var writers sync.WaitGroup
	for w := range 6 {
		writers.Go(func() {
			for n := w; n < markers; n += 6 {
				id := layout.BackupID(now.Add(-time.Duration(n) * time.Minute))
				if _, err := s.staging.Put(t.Context(), layout.Marker("flood", id), []byte("{}")); err != nil {
					t.Error(err)
				}
				if n >= records {
					continue
				}
				body, err := backupinfo.Render(backupinfo.Info{Status: backupinfo.Started, ServerName: "cloud"})
				if err != nil {
					t.Error(err)
				}
				if _, err := s.staging.Put(t.Context(), layout.BackupInfo("flood", id), body); err != nil {
					t.Error(err)
				}
			}
		})
	}
	quiet := settest.New("quiet", now)
	quiet.Upload(t, s.vault)
	s.isSealed(t, "quiet", quiet.ID())
	writers.Wait()

	greedy := settest.New("flood", now.Add(time.Hour))
	greedy.Manifest.End.LSN = greedy.Manifest.Begin.LSN + 1<<37 // 131,072 segments
	greedy.UploadArchives(t, s.vault)
	greedy.UploadManifest(t, s.vault)
	for n := range 120 {
		s.create(t, layout.BackupDir("flood", layout.BackupID(now))+fmt.Sprint("junk/", n), nil)
	}
	lost := settest.New("lost", now) // whose event never came
	lost.Upload(t, s.vault)
	r := s.sweep(t)
	if r.Sealed < 1 || r.Requests > 600 || r.Failed > 0 {
		t.Errorf("%+v", r)
	}
	t.Logf("%+v", r)
	if b := s.status(t, "lost", lost.ID()); b.State != "sealed" {
		t.Errorf("%+v", b)
	}
	if b := s.status(t, "flood", greedy.ID()); b.State != "waiting" {
		t.Errorf("%+v", b)
	}
}

// Only a marker's key counts, and it is a call for a look at the vault; what is no key of a marker is nothing.
func forgedMarkers(t *testing.T, s *scene) {
	set := s.sealed(t, "markers")
	for _, body := range []string{`{"server":"replaced","backup_id":"20260101T000000"}`, "", strings.Repeat("x", 1<<20), `{"manifest_sha256":"` + strings.Repeat("0", 64) + `"}`} {
		if _, err := s.staging.Put(t.Context(), layout.Marker("markers", set.ID()), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"20260101T000000.json", "latest.json", "20260101T000000", "x/20260101T000000.json", "%2e%2e.json", "20260101T000000.json.json"} {
		if _, err := s.staging.Put(t.Context(), layout.CompleteDir("markers")+name, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	s.sealed(t, "markers-after")
	s.isUnchanged(t, set)
}
