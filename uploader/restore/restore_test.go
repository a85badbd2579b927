package restore_test

import (
	"archive/tar"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/restore"
)

func TestASealedBackupIsRestored(t *testing.T) {
	w := newWorld(t)
	s := w.seal(w.set())
	r := w.want()
	if r.ID != s.ID() || !r.Sealed || r.Archives != 3 || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat(w.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	wantOwner(t, w.dir)
	conf, err := os.ReadFile(filepath.Join(w.Dir, "postgresql.auto.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"work_mem = '1MB'", "restore_command = 'pgseal wal-restore s3://vault main %f %p'", "archive_mode = 'off'", "recovery_target_time = ''", "primary_conninfo = ''"} {
		if !strings.Contains(string(conf), line+"\n") {
			t.Errorf("%s is not in\n%s", line, conf)
		}
	}
	if strings.Contains(string(conf), "2020") || strings.Contains(string(conf), "host=x") {
		t.Errorf("old settings are in\n%s", conf)
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "recovery.signal")); err != nil {
		t.Error(err)
	}
	if _, err := w.run(); !errors.Is(err, restore.ErrDirectory) {
		t.Errorf("over a data directory: %v", err)
	}
}

// wantOwner: as root everything is the backed up user's, though its name is not known here; else it is ours.
func wantOwner(t *testing.T, dir string) {
	t.Helper()
	want := os.Geteuid()
	if want == 0 {
		want = 4321
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != want {
			t.Errorf("%s belongs to %d, want %d", path, st.Uid, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestABackupOfBarmansIsRestored(t *testing.T) {
	w := newWorld(t)
	set := w.set()
	set.Archives["data_0002.tar"] = entries{{"postgresql.conf", "the true one"}, {"tablespace_map", "16385 /srv/ts"}, {"standby.signal", ""}}.tar(t,
		&tar.Header{Name: "server.crt", Typeflag: tar.TypeSymlink, Linkname: "/etc/ssl/server.crt"},
		&tar.Header{Name: "pg_tblspc/16385", Typeflag: tar.TypeSymlink, Linkname: "/srv/ts one"},
		&tar.Header{Name: "pipe", Typeflag: tar.TypeFifo})
	set.Archives["data_0001.tar"] = entries{{"base/5/2", "two"}, {"postgresql.conf", "an old one"}, {"global/pg_control", control(set.Manifest.Cluster.SystemID)},
		{"backup_label", set.Manifest.Label}}.tar(t)
	w.stock(set, nil)
	r := w.want()
	if r.Sealed || len(r.Notes) != 2 || !strings.Contains(strings.Join(r.Notes, " "), "server.crt") {
		t.Errorf("%+v", r)
	}
	if got, err := os.ReadFile(filepath.Join(w.Dir, "postgresql.conf")); string(got) != "the true one" {
		t.Errorf("%q %v", got, err)
	}
	for _, name := range []string{"tablespace_map", "standby.signal", "server.crt", "pipe"} {
		if _, err := os.Lstat(filepath.Join(w.Dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheFilesAloneAsBarmanLeavesThem(t *testing.T) {
	w := newWorld(t)
	w.seal(w.set())
	w.Recovery = nil
	w.want()
	conf, err := os.ReadFile(filepath.Join(w.Dir, "postgresql.auto.conf"))
	if err != nil || !strings.Contains(string(conf), "2020") {
		t.Errorf("%s %v", conf, err)
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "recovery.signal")); err == nil {
		t.Error("recovery.signal is there")
	}
}

func TestWhatWasAddedOrWrittenOverIsReportedAndNotRead(t *testing.T) {
	w := newWorld(t)
	s := w.seal(w.set())
	s.Create(t, w.Vault, s.Key("data_9999.tar"), entries{{"base/5/evil", "x"}}.tar(t))
	s.Create(t, w.Vault, s.Key("other.txt"), []byte("of no interest"))
	for _, name := range []string{"data.tar", "manifest.json", "backup.info"} {
		if err := w.Overwrite(s.Key(name), entries{{"PG_VERSION", "9\n"}}.tar(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Delete(s.Key("data_0001.tar"), ""); err != nil {
		t.Fatal(err)
	}
	w.Backup = s.ID() // as its backup.info cannot be read, it is not the latest
	r := w.want()
	notes := strings.Join(r.Notes, "\n")
	for _, word := range []string{"data_9999.tar was added", "data.tar was written over", "data_0001.tar is hidden", "manifest.json has 2 versions", "backup.info has 2 versions"} {
		if !strings.Contains(notes, word) {
			t.Errorf("%q is not in\n%s", word, notes)
		}
	}
	if strings.Contains(notes, "other.txt") {
		t.Error(notes)
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "base/5/evil")); err == nil {
		t.Error("the added archive was restored")
	}
}

// What is wrong with a backup is noticed, and leaves nothing that PostgreSQL would start.
func TestWhatIsWrongIsNoticed(t *testing.T) {
	seal := func(change func(w *world, s *settest.Set)) func(*world) {
		return func(w *world) {
			s := w.set()
			change(w, s)
			w.seal(s)
		}
	}
	stock := func(change func(*backupinfo.Info)) func(*world) {
		return func(w *world) { w.stock(w.set(), change) }
	}
	for name, tc := range map[string]struct {
		do   func(w *world)
		want error
		says string
	}{
		"no backup":       {func(*world) {}, restore.ErrNoBackup, "none that is complete"},
		"one that runs":   {stock(func(i *backupinfo.Info) { i.Status = backupinfo.Started }), restore.ErrNoBackup, ""},
		"one that failed": {stock(func(i *backupinfo.Info) { i.Status = backupinfo.Failed }), restore.ErrNoBackup, ""},
		"one that runs, by its id": {func(w *world) {
			w.Backup = w.stock(w.set(), func(i *backupinfo.Info) { i.Status = backupinfo.Started }).ID()
		}, restore.ErrNoBackup, "STARTED"},
		"one not sealed":  {func(w *world) { s := w.set(); s.Upload(t, w.Vault); w.Backup = s.ID() }, restore.ErrNoBackup, "not sealed"},
		"an unknown name": {func(w *world) { w.seal(w.set()); w.Backup = "weekly" }, restore.ErrNoBackup, "weekly"},
		"a failed one":    {func(w *world) { w.seal(w.set()); w.Backup = "last-failed" }, restore.ErrNoBackup, ""},
		"a lost archive":  {func(w *world) { w.Destroy(w.seal(w.set()).Key("data_0001.tar")) }, restore.ErrDamaged, "is gone"},
		"a lost manifest": {func(w *world) { w.Destroy(w.seal(w.set()).Key("manifest.json")) }, restore.ErrDamaged, "the manifest that the seal"},
		"another manifest": {func(w *world) {
			s := w.seal(w.set())
			s.Manifest.Objects = s.Manifest.Objects[:0:0]
			for _, o := range []string{"data.tar", "16385.tar"} { // one archive fewer
				obj, err := w.Vault.Stat(t.Context(), s.Key(o), "")
				if err != nil {
					t.Fatal(err)
				}
				s.Manifest.Objects = append(s.Manifest.Objects, manifest.Object{Name: o, Size: obj.Size, SHA256: strings.Repeat("0", 64), CRC32C: obj.CRC32C, Version: obj.Version})
			}
			body, err := manifest.Encode(s.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			w.Damage(s.Key("manifest.json"), body)
		}, restore.ErrDamaged, "the manifest that the seal"},
		"a lost segment":            {func(w *world) { w.seal(w.set()); w.Destroy("main/wals/0000000100000000/000000010000000000000004") }, restore.ErrTarget, "000000010000000000000004"},
		"a target too old":          {func(w *world) { w.seal(w.set()); w.Target.Time = w.now.Add(-time.Hour) }, restore.ErrNoBackup, "before the target"},
		"a target ahead of the WAL": {func(w *world) { w.seal(w.set()); w.Target.Time = w.now.Add(time.Hour) }, restore.ErrTarget, "the WAL leads to segment"},
		"an LSN ahead of the WAL":   {func(w *world) { w.seal(w.set()); w.Target.LSN = 0x500001 }, restore.ErrTarget, "after the end of the WAL"},
		"a label of another backup": {seal(func(w *world, s *settest.Set) {
			s.Archives["data_0001.tar"] = entries{{"global/pg_control", control(s.Manifest.Cluster.SystemID)}, {"backup_label", "x" + s.Manifest.Label}}.tar(t)
		}), restore.ErrDamaged, "backup_label"},
		"no label": {seal(func(w *world, s *settest.Set) {
			s.Archives["data_0001.tar"] = entries{{"global/pg_control", control(s.Manifest.Cluster.SystemID)}}.tar(t)
		}), restore.ErrDamaged, "no archive holds backup_label"},
		"no pg_control": {seal(func(w *world, s *settest.Set) {
			s.Archives["data_0001.tar"] = entries{{"backup_label", s.Manifest.Label}}.tar(t)
		}), restore.ErrDamaged, "no archive holds global/pg_control"},
		"a torn pg_control": {seal(func(w *world, s *settest.Set) {
			s.Archives["data_0001.tar"] = entries{{"global/pg_control", strings.Repeat("x", 8192)}, {"backup_label", s.Manifest.Label}}.tar(t)
		}), restore.ErrDamaged, "CRC"},
		"another cluster's pg_control": {seal(func(w *world, s *settest.Set) {
			s.Archives["data_0001.tar"] = entries{{"global/pg_control", control(77)}, {"backup_label", s.Manifest.Label}}.tar(t)
		}), restore.ErrDamaged, "of the cluster 77"},
		"a part missing in the middle": {func(w *world) {
			s := w.set()
			s.Archives["data_0003.tar"] = entries{{"x", ""}}.tar(t)
			w.stock(s, nil)
		}, restore.ErrDamaged, "data_0002.tar"},
		"a tablespace's archive missing": {func(w *world) { s := w.set(); delete(s.Archives, "16385.tar"); w.stock(s, nil) }, restore.ErrDamaged, "16385.tar"},
		"two compressions":               {func(w *world) { s := w.stock(w.set(), nil); s.Create(t, w.Vault, s.Key("data.tar"), []byte("x")) }, restore.ErrDamaged, "nothing says which"},
		"an archive cut short": {func(w *world) {
			s := w.set()
			s.Archives["data_0001.tar"] = s.Archives["data_0001.tar"][:700]
			w.stock(s, nil)
		}, restore.ErrDamaged, "data_0001"},
		"a tablespace that is in use": {func(w *world) {
			w.seal(w.set())
			if err := os.MkdirAll(filepath.Join(w.dir, "ts", "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, restore.ErrDirectory, "not empty"},
		"a tablespace inside the data directory": {func(w *world) { w.seal(w.set()); w.Tablespaces["t's"] = w.Dir + "/ts" }, restore.ErrDirectory, "not apart"},
		"an unknown tablespace":                  {func(w *world) { w.seal(w.set()); w.Tablespaces["other"] = w.Dir + "2" }, restore.ErrDirectory, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.do(w)
			_, err := w.run()
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.says)
			}
			if w.startable() {
				t.Error("it would start")
			}
		})
	}
}

func TestADownloadThatIsNotWhatWasSealed(t *testing.T) {
	w := newWorld(t)
	s := w.seal(w.set())
	body := slices.Clone(s.Archives["data.tar"])
	i := strings.Index(string(body), "one")
	body[i] = 'X'
	w.Damage(s.Key("data.tar"), body)
	w.Jobs = 1
	if _, err := w.run(); !errors.Is(err, restore.ErrDamaged) || !strings.Contains(err.Error(), "SHA-256") {
		t.Fatal(err)
	}
	if w.startable() {
		t.Error("it would start")
	}
	w.Damage(s.Key("data.tar"), s.Archives["data.tar"])
	if r := w.want(); r.Resumed != 1 {
		t.Errorf("%d archives were kept", r.Resumed)
	}
}

func TestVerifyOnlyWritesNothing(t *testing.T) {
	w := newWorld(t)
	s := w.seal(w.set())
	w.VerifyOnly, w.Dir = true, ""
	if r, err := w.run(); err != nil || r.Archives != 3 {
		t.Errorf("%+v %v", r, err)
	}
	if left, err := os.ReadDir(w.dir); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
	w.Damage(s.Key("16385.tar"), append(slices.Clone(s.Archives["16385.tar"][:1024]), make([]byte, len(s.Archives["16385.tar"])-1024)...))
	if _, err := w.run(); !errors.Is(err, restore.ErrDamaged) {
		t.Error(err)
	}
}

func TestAnInterruptedRestoreGoesOn(t *testing.T) {
	w := newWorld(t)
	s := w.seal(w.set())
	store := w.Vault
	for _, at := range []string{"data_0001.tar", "data.tar", "16385.tar"} { // the largest first
		ctx, cancel := context.WithCancel(t.Context())
		w.Vault = w.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
			if c.Op == "read" && c.Key == s.Key(at) {
				cancel()
			}
			return membucket.Fault{}
		}, false)
		w.Jobs, w.Progress = 1, &restore.Progress{}
		if _, err := restore.Run(ctx, w.Config); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", at, err)
		}
		if w.startable() {
			t.Errorf("%s: it would start", at)
		}
	}
	w.Vault = store
	other := w.Config
	other.Tablespaces = map[string]string{"t's": w.dir + "/elsewhere"}
	if _, err := restore.Run(t.Context(), other); !errors.Is(err, restore.ErrDirectory) || !strings.Contains(err.Error(), "unfinished restore of backup "+s.ID()) {
		t.Errorf("to other places: %v", err)
	}
	if r := w.want(); r.Resumed == 0 {
		t.Error("it began anew")
	}
}

func TestWhichBackupIsMeant(t *testing.T) {
	w := newWorld(t)
	at := w.now
	var ids []string
	for hour := range 3 {
		w.now = at.Add(time.Duration(hour-3) * time.Hour)
		s := w.set()
		s.Manifest.BackupName = []string{"first one", "twice", "twice"}[hour]
		if hour > 0 { // the WAL is there already
			s.UploadArchives(t, w.Vault)
			s.UploadManifest(t, w.Vault)
			w.sealOnly(s)
		} else {
			w.seal(s)
		}
		ids = append(ids, s.ID())
	}
	w.now = at
	w.VerifyOnly, w.Recovery, w.Dir = true, nil, ""
	for backup, want := range map[string]string{"latest": ids[2], "auto": ids[2], "last": ids[2], "oldest": ids[0], "first": ids[0], ids[1]: ids[1], "first one": ids[0], "twice": ""} {
		w.Backup = backup
		r, err := w.run()
		if r.ID != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v; want %s", backup, r.ID, err, want)
		}
	}
	w.Backup, w.Target.Time = "latest", at.Add(-90*time.Minute)
	if r, err := w.run(); r.ID != ids[1] {
		t.Errorf("%s %v", r.ID, err)
	}
	w.Backup = ids[2]
	if _, err := w.run(); !errors.Is(err, restore.ErrTarget) {
		t.Error(err)
	}
}

// A sealed set holds files and directories below its own: whatever else somebody put into an archive is refused by name.
func TestWhatNoBackupHoldsIsRefused(t *testing.T) {
	for _, h := range []*tar.Header{
		{Name: "../escaped", Typeflag: tar.TypeReg}, {Name: "/tmp/escaped", Typeflag: tar.TypeReg}, {Name: "base/../../escaped", Typeflag: tar.TypeDir},
		{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, {Name: "hard", Linkname: "PG_VERSION", Typeflag: tar.TypeLink},
		{Name: "null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, {Name: "pipe", Typeflag: tar.TypeFifo},
		{Name: "base/5/1", Typeflag: tar.TypeReg}, {Name: ".pgseal-restore/state.json", Typeflag: tar.TypeReg}, {Name: strings.Repeat("d/", 40), Typeflag: tar.TypeDir},
	} {
		w := newWorld(t)
		s := w.set()
		s.Archives["data.tar"] = entries{{"./", ""}, {"base/", ""}, {"base/5/", ""}, {"base/5/1", "one"}, {"global/", ""}}.tar(t, h)
		w.seal(s)
		if _, err := w.run(); !errors.Is(err, restore.ErrRefused) || !strings.Contains(err.Error(), "data.tar") {
			t.Errorf("%c %s: %v", h.Typeflag, h.Name, err)
		}
		if w.startable() {
			t.Errorf("%s: it would start", h.Name)
		}
		if left, err := os.ReadDir(w.dir); err != nil || len(left) > 2 {
			t.Errorf("%s: %v %v", h.Name, left, err)
		}
	}
}
