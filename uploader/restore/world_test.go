package restore_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/restore"
)

// world is a vault with backups in it, and the place of a restore.
type world struct {
	*membucket.Store
	t    *testing.T
	dir  string
	now  time.Time
	said bytes.Buffer
	restore.Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Now()}
	w.Store = membucket.New(membucket.Options{
		Personality: membucket.S3, URL: "s3://vault", Now: func() time.Time { return w.now }, Locked: true, Default: time.Hour,
	})
	w.Config = restore.Config{
		Vault: w.Bucket(), Server: "main", Backup: "latest", Dir: filepath.Join(w.dir, "data"),
		Tablespaces: map[string]string{"t's": filepath.Join(w.dir, "ts")},
		Recovery:    &restore.Recovery{Command: "pgseal wal-restore s3://vault main %f %p"},
		Jobs:        2, Progress: &restore.Progress{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&w.said, nil)),
	}
	return w
}

// entries make a tar: names that end in a slash are directories.
type entries [][2]string

func (e entries) tar(t *testing.T, more ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range e {
		h := &tar.Header{Name: f[0], Mode: 0o600, Size: int64(len(f[1])), Typeflag: tar.TypeReg, Uid: 4321, Gid: 4321, Uname: "nobody-knows"}
		if f[0][len(f[0])-1] == '/' {
			h.Typeflag, h.Mode = tar.TypeDir, 0o700
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range more {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// control is a pg_control of the set's cluster.
func control(systemID uint64) string {
	b := make([]byte, 8192)
	le := binary.LittleEndian
	le.PutUint64(b, systemID)
	le.PutUint32(b[8:], 1300)
	le.PutUint32(b[16:], 6)
	le.PutUint32(b[288:], crc32.Checksum(b[:288], crc32.MakeTable(crc32.Castagnoli)))
	return string(b)
}

// set is a backup in three archives, as pgseal makes it.
func (w *world) set() *settest.Set {
	s := settest.New("main", w.now)
	s.Archives["data.tar"] = entries{{"./", ""}, {"PG_VERSION", "15\n"}, {"postgresql.auto.conf", "work_mem = '1MB'\nrecovery_target_time = '2020-01-01'\nPrimary_Conninfo = 'host=x'\n"},
		{"base/", ""}, {"base/5/", ""}, {"base/5/1", "one"}, {"pg_tblspc/", ""}, {"global/", ""}}.tar(w.t)
	s.Archives["data_0001.tar"] = entries{{"base/5/2", "two"}, {"global/pg_control", control(s.Manifest.Cluster.SystemID)}, {"backup_label", s.Manifest.Label}}.tar(w.t)
	s.Archives["16385.tar"] = entries{{"PG_15_202209061/", ""}, {"PG_15_202209061/5/", ""}, {"PG_15_202209061/5/3", "three"}}.tar(w.t)
	return s
}

// seal uploads the set and seals it.
func (w *world) seal(s *settest.Set) *settest.Set {
	w.t.Helper()
	s.Upload(w.t, w.Vault)
	w.sealOnly(s)
	return s
}

// sealOnly seals what is uploaded.
func (w *world) sealOnly(s *settest.Set) {
	w.t.Helper()
	body, err := manifest.Encode(s.Manifest)
	if err != nil {
		w.t.Fatal(err)
	}
	info, err := finalizer.Render(s.Manifest, manifest.Digest(body), true)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Create(w.t, w.Vault, s.Key(layout.BackupInfoName), info)
}

// stock stores the set as barman-cloud does: compressed, and without a manifest.
func (w *world) stock(s *settest.Set, change func(*backupinfo.Info)) *settest.Set {
	w.t.Helper()
	for name, body := range s.Archives {
		var packed bytes.Buffer
		z, err := codec.Gzip.NewWriter(&packed, codec.Default)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := z.Write(body); err != nil {
			w.t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			w.t.Fatal(err)
		}
		s.Create(w.t, w.Vault, s.Key(name)+".gz", packed.Bytes())
	}
	s.UploadWAL(w.t, w.Vault)
	m := s.Manifest
	i := backupinfo.Info{Status: backupinfo.Done, ServerName: "cloud", Version: m.Cluster.Version, SystemID: fmt.Sprint(m.Cluster.SystemID), Timeline: 1,
		SegmentSize: settest.Size, BeginTime: m.Begin.Time, BeginLSN: m.Begin.LSN, EndTime: m.End.Time, EndLSN: m.End.LSN,
		Tablespaces: []backupinfo.Tablespace{{Name: "t's", OID: 16385, Location: "/srv/ts one"}}}
	if change != nil {
		change(&i)
	}
	body, err := backupinfo.Render(i)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Create(w.t, w.Vault, s.Key(layout.BackupInfoName), body)
	return s
}

func (w *world) run() (restore.Result, error) {
	w.t.Helper()
	w.Progress = &restore.Progress{}
	return restore.Run(w.t.Context(), w.Config)
}

// want fails the test unless the restore is whole.
func (w *world) want() restore.Result {
	w.t.Helper()
	r, err := w.run()
	if err != nil {
		w.t.Fatal(err)
	}
	for name, content := range map[string]string{
		"data/PG_VERSION": "15\n", "data/base/5/1": "one", "data/base/5/2": "two", "data/pg_tblspc/16385/PG_15_202209061/5/3": "three",
		"data/global/pg_control": "", "data/backup_label": "", "data/pg_wal/.": "", "data/pg_notify/.": "",
	} {
		path := filepath.Join(w.dir, name)
		if content == "" {
			if _, err := os.Stat(path); err != nil {
				w.t.Error(err)
			}
		} else if got, err := os.ReadFile(path); err != nil || string(got) != content {
			w.t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(w.Dir, ".pgseal-restore")); !os.IsNotExist(err) {
		w.t.Errorf("left behind: %v", err)
	}
	return r
}

// started tells whether PostgreSQL would start there.
func (w *world) startable() bool {
	_, err := os.Stat(filepath.Join(w.Dir, "global", "pg_control"))
	return err == nil
}
