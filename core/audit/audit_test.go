package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

const server = "main"

// world is a model of a vault that pgseal and stock barman-cloud wrote to.
type world struct {
	t     *testing.T
	now   time.Time
	vault *membucket.Store
	lsn   layout.LSN
}

func newWorld(t *testing.T, p membucket.Personality) *world {
	w := &world{t: t, now: time.Date(2026, 11, 20, 3, 1, 0, 0, time.UTC), lsn: 0x300028}
	w.vault = membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: func() time.Time { return w.now }, Locked: true, Default: 30 * 24 * time.Hour})
	return w
}

func (w *world) create(key, body string) {
	w.t.Helper()
	if _, err := w.vault.Bucket().Create(w.t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) set() *settest.Set {
	s := settest.New(server, w.now)
	s.Manifest.Begin.LSN, s.Manifest.End.LSN = w.lsn, w.lsn+0x180000
	s.Relabel()
	w.lsn += 0x200000
	return s
}

// sealed is a backup by pgseal.
func (w *world) sealed() *settest.Set {
	w.t.Helper()
	s := w.set()
	s.Upload(w.t, w.vault.Bucket())
	staging := membucket.New(membucket.Options{URL: "mem://staging", Now: func() time.Time { return w.now }})
	f := finalizer.Finalizer{Vault: w.vault.Bucket(), Staging: staging.Bucket(), Config: finalizer.Config{WALDeadline: time.Hour}, Decompress: plainOnly, Now: func() time.Time { return w.now }}
	if v, err := f.Finalize(w.t.Context(), server, s.ID()); err != nil || v.State != finalizer.Sealed {
		w.t.Fatalf("%+v %v", v, err)
	}
	return s
}

func plainOnly(string, io.Reader) (io.ReadCloser, error) { return nil, errors.New("only plain here") }

// info is what stock barman-cloud-backup writes for a set.
func (w *world) info(s *settest.Set, status string) backupinfo.Info {
	m := s.Manifest
	i := backupinfo.Info{Status: status, ServerName: "cloud", Version: m.Cluster.Version, SystemID: fmt.Sprint(m.Cluster.SystemID), Timeline: 1, SegmentSize: settest.Size,
		BeginTime: m.Begin.Time, BeginLSN: m.Begin.LSN, Label: m.Label, Tablespaces: []backupinfo.Tablespace{{Name: "t", OID: 16385, Location: "/srv/ts"}}}
	if status == backupinfo.Done {
		i.EndTime, i.EndLSN = m.End.Time, m.End.LSN
	}
	return i
}

func (w *world) write(s *settest.Set, i backupinfo.Info) {
	w.t.Helper()
	body, err := backupinfo.Render(i)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.vault.Overwrite(s.Key("backup.info"), body); err != nil {
		w.t.Fatal(err)
	}
}

// stock is a backup by barman-cloud, all but its backup.info.
func (w *world) stock() *settest.Set {
	w.t.Helper()
	s := w.set()
	s.UploadArchives(w.t, w.vault.Bucket())
	s.UploadWAL(w.t, w.vault.Bucket())
	return s
}

func (w *world) done() *settest.Set {
	w.t.Helper()
	s := w.stock()
	w.write(s, w.info(s, backupinfo.Done))
	return s
}

func (w *world) audit() *audit.Report {
	w.t.Helper()
	vault := w.vault.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Changes() {
			w.t.Errorf("an audit makes the request %v", c)
		}
		return membucket.Fault{}
	}, false)
	r, err := audit.Auditor{Vault: vault, Server: server, Decompress: plainOnly, Now: func() time.Time { return w.now }}.Audit(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// mixed is a healthy catalogue of all that may stand in one.
func mixed(w *world) {
	w.done()
	w.now = w.now.Add(24 * time.Hour)
	s := w.sealed()
	w.create(s.Key("annotations/keep"), "full")
	w.now = w.now.Add(24 * time.Hour)
	w.done()
	w.now = w.now.Add(24 * time.Hour)
	w.sealed()
	w.now = w.now.Add(time.Hour)
	running := w.set()
	running.UploadArchives(w.t, w.vault.Bucket())
	running.UploadWAL(w.t, w.vault.Bucket())
}

func TestAHealthyCatalogueIsSilent(t *testing.T) {
	for _, p := range membucket.Personalities {
		t.Run(p.String(), func(t *testing.T) {
			w := newWorld(t, p)
			mixed(w)
			if r := w.audit(); len(r.Problems) > 0 || len(r.Notes) > 0 || r.Sealed != 2 || r.Stock != 2 || r.Backups != 5 || r.Worst() != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestAnEmptyPlaceIsSilent(t *testing.T) {
	if r := newWorld(t, membucket.GCS).audit(); len(r.Problems) > 0 || r.Backups != 0 {
		t.Errorf("%+v", r)
	}
}

func TestPlantedDefectsAreFound(t *testing.T) {
	var onlyS3 = []membucket.Personality{membucket.S3}
	cases := map[string]struct {
		in       []membucket.Personality
		do       func(w *world)
		code     string
		object   string // the end of its key
		severity audit.Severity
	}{
		"stock: written twice, as barman 3.19 does": {in: onlyS3, do: func(w *world) {
			s := w.stock()
			w.write(s, w.info(s, backupinfo.Started))
			w.write(s, w.info(s, backupinfo.Done))
		}, code: "doubled", object: "backup.info", severity: audit.Warning},
		"stock: STARTED for ever, since the store refused the second write": {do: func(w *world) {
			s := w.stock()
			w.write(s, w.info(s, backupinfo.Started))
			w.now = w.now.Add(25 * time.Hour)
		}, code: "started", object: "backup.info", severity: audit.Critical},
		"stock: FAILED": {do: func(w *world) {
			s := w.stock()
			w.write(s, w.info(s, backupinfo.Failed))
		}, code: "failed", object: "backup.info", severity: audit.Warning},
		"stock: a status of its own": {do: func(w *world) {
			s := w.stock()
			w.write(s, w.info(s, "WAITING_FOR_WALS"))
		}, code: "status", object: "backup.info", severity: audit.Critical},
		"stock: no backup.info": {do: func(w *world) {
			w.stock()
			w.now = w.now.Add(25 * time.Hour)
		}, code: "leftovers", object: "/", severity: audit.Warning},
		"stock: an empty backup.info": {do: func(w *world) {
			w.create(w.stock().Key("backup.info"), "")
		}, code: "unreadable", object: "backup.info", severity: audit.Critical},
		"stock: a backup.info that is none": {do: func(w *world) {
			w.create(w.stock().Key("backup.info"), "x\n")
		}, code: "unreadable", object: "backup.info", severity: audit.Critical},
		"stock: a backup.info without an end": {do: func(w *world) {
			w.create(w.stock().Key("backup.info"), strings.Repeat("#\n", 1<<20))
		}, code: "unreadable", object: "backup.info", severity: audit.Critical},
		"stock: a field that other versions do not know": {do: func(w *world) {
			s := w.stock()
			body, _ := backupinfo.Render(w.info(s, backupinfo.Done))
			w.create(s.Key("backup.info"), string(body)+"gp_dbid=1\n")
		}, code: "unknown-field", object: "backup.info", severity: audit.Warning},
		"stock: no end_time": {do: func(w *world) {
			s := w.stock()
			i := w.info(s, backupinfo.Done)
			i.EndTime = time.Time{}
			w.write(s, i)
		}, code: "field-missing", object: "backup.info", severity: audit.Critical},
		"stock: no main archive": {do: func(w *world) {
			w.vault.Destroy(w.done().Key("data.tar"))
		}, code: "missing", object: "data.tar", severity: audit.Critical},
		"stock: a tablespace without its archive": {do: func(w *world) {
			w.vault.Destroy(w.done().Key("16385.tar"))
		}, code: "missing", object: "16385.tar", severity: audit.Critical},
		"stock: a part in the middle is missing": {do: func(w *world) {
			s := w.done()
			w.create(s.Key("data_0002.tar"), "x")
			w.create(s.Key("data_0003.tar"), "x")
			w.vault.Destroy(s.Key("data_0002.tar"))
		}, code: "missing", object: "data_0002.tar", severity: audit.Critical},
		"stock: a main archive in two compressions": {do: func(w *world) {
			w.create(w.done().Key("data.tar.gz"), "x")
		}, code: "two-forms", object: "data.tar", severity: audit.Critical},
		"stock: an empty archive": {do: func(w *world) {
			w.create(w.done().Key("data_0002.tar"), "")
		}, code: "empty", object: "data_0002.tar", severity: audit.Critical},
		"stock: a stranger that a restore reads": {do: func(w *world) {
			w.create(w.done().Key("data_manifest.json"), "{}")
		}, code: "extra", object: "data_manifest.json", severity: audit.Critical},
		"stock: an archive of a tablespace that is not named": {do: func(w *world) {
			w.create(w.done().Key("99999.tar"), "x")
		}, code: "extra", object: "99999.tar", severity: audit.Warning},
		"stock: an archive that was written over": {in: onlyS3, do: func(w *world) {
			w.overwrite(w.done().Key("data.tar"))
		}, code: "versions", object: "data.tar", severity: audit.Critical},
		"stock: an archive under a delete marker": {in: onlyS3, do: func(w *world) {
			w.delete(w.done().Key("data_0001.tar"))
		}, code: "hidden", object: "data_0001.tar", severity: audit.Critical},
		"stock: a backup.info under a delete marker": {in: onlyS3, do: func(w *world) {
			w.delete(w.done().Key("backup.info"))
		}, code: "seal-gone", object: "backup.info", severity: audit.Critical},
		"stock: archives whose lock ends before that of backup.info": {do: func(w *world) {
			w.vault.Change(w.done().Key("data.tar"), func(o *bucket.Object) { o.RetainUntil = o.RetainUntil.Add(-48 * time.Hour) })
		}, code: "retention", object: "data.tar", severity: audit.Warning},
		"stock: an archive without a lock": {do: func(w *world) {
			w.vault.Change(w.done().Key("data.tar"), func(o *bucket.Object) { o.RetainUntil = time.Time{} })
		}, code: "unlocked", object: "data.tar", severity: audit.Warning},
		"stock: an archive in a slow class": {do: func(w *world) {
			w.vault.Change(w.done().Key("data.tar"), func(o *bucket.Object) { o.Class = "GLACIER" })
		}, code: "class", object: "data.tar", severity: audit.Critical},
		"stock: a needed segment is missing": {do: func(w *world) {
			w.vault.Destroy(wal(w.done(), 1))
		}, code: "wal-missing", object: "0004", severity: audit.Critical},
		"stock: a hole in what follows": {do: func(w *world) {
			s := w.done()
			w.now = w.now.Add(24 * time.Hour)
			w.done()
			w.now = w.now.Add(24 * time.Hour)
			last := w.done()
			w.vault.Destroy(wal(last, 0))
			_ = s
		}, code: "wal-missing", object: "0007", severity: audit.Critical},
		"stock: a .partial beside a segment": {do: func(w *world) {
			w.create(wal(w.done(), 0)+".partial", "x")
		}, code: "wal-partial", object: ".partial", severity: audit.Warning},
		"stock: a segment in two compressions": {do: func(w *world) {
			w.create(wal(w.done(), 0)+".gz", "x")
		}, code: "wal-double", object: "0003", severity: audit.Warning},
		"stock: a history file that leads away": {do: func(w *world) {
			w.done()
			w.create("main/wals/00000002.history", "1\t0/100000\tx\n")
		}, code: "history-fork", object: "00000002.history", severity: audit.Warning},
		"two backups with one name": {do: func(w *world) {
			for range 2 {
				s := w.stock()
				i := w.info(s, backupinfo.Done)
				i.BackupName = "weekly"
				w.write(s, i)
				w.now = w.now.Add(time.Hour)
			}
		}, code: "name-twice", severity: audit.Warning},
		"two clusters under one name": {do: func(w *world) {
			w.done()
			w.now = w.now.Add(time.Hour)
			s := w.stock()
			i := w.info(s, backupinfo.Done)
			i.SystemID = "1"
			w.write(s, i)
		}, code: "two-clusters", object: "main/", severity: audit.Warning},
		"a backup id of next year": {do: func(w *world) {
			s := w.stock()
			i := w.info(s, backupinfo.Done)
			body, _ := backupinfo.Render(i)
			w.create("main/base/20271231T000000/backup.info", string(body))
		}, code: "future", object: "20271231T000000/", severity: audit.Critical},
		"a directory that is no backup's": {do: func(w *world) {
			w.create("main/base/yesterday/backup.info", "x")
		}, code: "strange", object: "yesterday/", severity: audit.Warning},
		"pgseal: complete and never sealed": {do: func(w *world) {
			w.set().Upload(w.t, w.vault.Bucket())
		}, code: "unsealed", object: "manifest.json", severity: audit.Warning},
		"pgseal: an archive was added": {do: func(w *world) {
			w.create(w.sealed().Key("data_9999.tar"), "x")
		}, code: "extra", object: "data_9999.tar", severity: audit.Critical},
		"pgseal: an archive is gone": {do: func(w *world) {
			w.vault.Destroy(w.sealed().Key("data.tar"))
		}, code: "missing", object: "data.tar", severity: audit.Critical},
		"pgseal: the manifest is gone": {do: func(w *world) {
			w.vault.Destroy(w.sealed().Key("manifest.json"))
		}, code: "other-seal", object: "backup.info", severity: audit.Critical},
		"pgseal: a forged seal": {do: func(w *world) {
			s := w.set()
			s.UploadArchives(w.t, w.vault.Bucket())
			s.UploadManifest(w.t, w.vault.Bucket())
			w.create(s.Key("backup.info"), "# pgseal manifest_sha256=00\nstatus=DONE\n")
		}, code: "other-seal", object: "backup.info", severity: audit.Critical},
		"pgseal: stock barman wrote beside a manifest": {do: func(w *world) {
			s := w.stock()
			s.UploadManifest(w.t, w.vault.Bucket())
			w.write(s, w.info(s, backupinfo.Done))
		}, code: "other-seal", object: "backup.info", severity: audit.Critical},
		"pgseal: a hole after it": {do: func(w *world) {
			s := w.sealed()
			s.UploadSegment(w.t, w.vault.Bucket(), 9)
		}, code: "wal-hole", object: "0005", severity: audit.Critical},
	}
	count := 0
	for name, tc := range cases {
		in := tc.in
		if in == nil {
			in = membucket.Personalities
		}
		for _, p := range in {
			count++
			t.Run(name+" on "+p.String(), func(t *testing.T) {
				w := newWorld(t, p)
				tc.do(w)
				r := w.audit()
				if !slices.ContainsFunc(r.Problems, func(p audit.Problem) bool {
					return p.Code == tc.code && strings.HasSuffix(p.Object, tc.object) && p.Severity == tc.severity && p.Text != ""
				}) {
					t.Errorf("%+v", r.Problems)
				}
			})
		}
	}
	t.Logf("%d planted defects of %d kinds", count, len(cases))
}

func (w *world) overwrite(key string) {
	w.t.Helper()
	if err := w.vault.Overwrite(key, []byte("other bytes")); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(key string) {
	w.t.Helper()
	if err := w.vault.Delete(key, ""); err != nil {
		w.t.Fatal(err)
	}
}

// wal is the key of the set's nth needed segment.
func wal(s *settest.Set, n uint64) string {
	first := s.Manifest.FirstSegment()
	first.Number += n
	return layout.WAL(server, first.Name(settest.Size), "")
}

func TestOneHoleIsToldOnceForAllBackupsBeforeIt(t *testing.T) {
	w := newWorld(t, membucket.S3)
	for range 3 {
		w.done()
		w.now = w.now.Add(24 * time.Hour)
	}
	s := w.set()
	s.UploadSegment(t, w.vault.Bucket(), 12)
	if r := w.audit(); len(r.Problems) != 3 || r.Problems[0].Code != "wal-hole" || r.Problems[0].Also != 2 {
		t.Errorf("%+v", r.Problems)
	}
}

func TestAPlaceWithoutALockIsSaid(t *testing.T) {
	s := membucket.New(membucket.Options{URL: "mem://open", Now: time.Now})
	r, err := audit.Auditor{Vault: s.Bucket(), Server: server, Now: time.Now}.Audit(t.Context())
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Code != "no-lock" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestAPlaceThatCannotBeReadIsAnError(t *testing.T) {
	s := membucket.New(membucket.Options{URL: "mem://gone", Now: time.Now, Missing: true})
	if _, err := (audit.Auditor{Vault: s.Bucket(), Server: server, Now: time.Now}).Audit(t.Context()); !errors.Is(err, bucket.ErrNotFound) {
		t.Error(err)
	}
	if _, err := (audit.Auditor{Vault: s.Bucket(), Server: "../x", Now: time.Now}).Audit(t.Context()); err == nil {
		t.Error("a server's name that is none")
	}
}
