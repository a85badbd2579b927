package catalog_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

const server = "pg1"

// world is a vault and a staging place in which time passes as the test says.
type world struct {
	t              *testing.T
	dir            string
	now            time.Time
	vault, staging bucket.Bucket
	lsn            layout.LSN // where the next set begins
}

// place shows another URL than the one of its directory, so that output is the same everywhere.
type place struct {
	bucket.Bucket
	url string
}

func (p place) URL() string { return p.url }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 20, 3, 1, 0, 0, time.UTC), lsn: 0x300028}
	clock := filebucket.WithClock(func() time.Time { return w.now })
	open := func(name, url string, init func(string) error) bucket.Bucket {
		raw := "file://" + filepath.Join(w.dir, name)
		if err := init(raw); err != nil {
			t.Fatal(err)
		}
		b, err := filebucket.Open(raw, clock)
		if err != nil {
			t.Fatal(err)
		}
		return place{b, url}
	}
	w.vault = open("vault", "s3://vault/barman", func(u string) error {
		return filebucket.Init(u, filebucket.Lock{Default: 30 * 24 * time.Hour})
	})
	w.staging = open("staging", "s3://staging", filebucket.InitStaging)
	return w
}

// at moves the clock: "23T03:01".
func (w *world) at(s string) {
	w.t.Helper()
	now, err := time.Parse("2006-01-02T15:04", "2026-11-"+s)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = now
}

// set is one that began a minute ago, with WAL that follows that of the last.
func (w *world) set() *settest.Set {
	s := settest.New(server, w.now)
	s.Manifest.Begin.LSN, s.Manifest.End.LSN = w.lsn, w.lsn+0x180000
	s.Relabel()
	w.lsn += 0x200000
	return s
}

func (w *world) finalizer(c finalizer.Config) *finalizer.Finalizer {
	c.Deadline, c.WALDeadline = time.Minute, 72*time.Hour
	return &finalizer.Finalizer{Vault: w.vault, Staging: w.staging, Config: c, Decompress: decompress, Now: func() time.Time { return w.now }, Build: "test"}
}

func (w *world) sweep() {
	w.t.Helper()
	if _, err := w.finalizer(finalizer.Config{}).Sweep(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) finalize(id string, c finalizer.Config) finalizer.Verdict {
	w.t.Helper()
	v, err := w.finalizer(c).Finalize(context.Background(), server, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// seal uploads a whole set and has it sealed.
func (w *world) seal(c finalizer.Config) *settest.Set {
	w.t.Helper()
	s := w.set()
	s.Upload(w.t, w.vault)
	if v := w.finalize(s.ID(), c); v.State != finalizer.Sealed {
		w.t.Fatalf("%+v", v)
	}
	return s
}

func decompress(suffix string, r io.Reader) (io.ReadCloser, error) {
	return codec.BySuffix(suffix).NewReader(r)
}

func (w *world) put(key, body string) {
	w.t.Helper()
	if _, err := w.staging.Put(context.Background(), key, []byte(body)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create(key, body string) {
	w.t.Helper()
	if _, err := w.vault.Create(context.Background(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// record writes staging's backup.info, begun at the present time.
func (w *world) record(id, status, text string) {
	w.t.Helper()
	i := backupinfo.Info{Status: status, Error: text, ServerName: "cloud", BackupName: "nightly", BeginTime: w.now, Version: 150018, SegmentSize: settest.Size, Timeline: 1}
	if status == backupinfo.Done {
		i.EndTime = w.now
	}
	body, err := backupinfo.Render(i)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(layout.BackupInfo(server, id), string(body))
}

func (w *world) json(key string, value any) {
	w.t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(key, string(body))
}

func (w *world) heartbeat(id string, p manifest.Progress) {
	w.t.Helper()
	p.Server, p.BackupID = server, id
	w.json(layout.Progress(server, id), p)
}

func (w *world) mark(id string) {
	w.t.Helper()
	w.json(layout.Marker(server, id), manifest.Marker{Server: server, BackupID: id, Host: "db1"})
}

// lose takes objects out of the vault behind its back.
func (w *world) lose(keys ...string) {
	w.t.Helper()
	for _, key := range keys {
		if err := os.RemoveAll(filepath.Join(w.dir, "vault", key)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) reader() catalog.Reader {
	return catalog.Reader{Vault: w.vault, Staging: w.staging, Server: server, Decompress: decompress, Now: func() time.Time { return w.now }}
}

func (w *world) read() *catalog.Catalog {
	w.t.Helper()
	c, err := w.reader().Read(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// of picks one backup.
func of(t *testing.T, c *catalog.Catalog, id string) catalog.Backup {
	t.Helper()
	for _, b := range c.Backups {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("%s is not listed", id)
	return catalog.Backup{}
}
