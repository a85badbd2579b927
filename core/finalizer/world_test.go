package finalizer_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
)

const (
	day  = 24 * time.Hour
	lock = 30 * day
)

// world is a model of a vault and a staging place, with a finalizer over them
// whose clock is wrong: only the stores' may count.
type world struct {
	t              *testing.T
	mu             sync.Mutex
	now            time.Time
	vault, staging *membucket.Store
	f              *finalizer.Finalizer
	log            strings.Builder
	calls          []membucket.Call // of the finalizer, "vault " or "staging " before the key
	lsn            layout.LSN
}

func newWorld(t *testing.T, p membucket.Personality) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 23, 3, 1, 0, 0, time.UTC), lsn: 0x300028}
	w.vault = membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: w.clock, Locked: true, Default: lock})
	w.staging = membucket.New(membucket.Options{Personality: p, URL: "mem://staging", Now: w.clock})
	config, err := finalizer.ConfigFromEnv(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	config.Deadline = 0
	w.f = &finalizer.Finalizer{
		Vault: w.vault.Hooked(w.note("vault "), false), Staging: w.staging.Hooked(w.note("staging "), false),
		Config: config, Now: func() time.Time { return w.clock().Add(-100 * day) }, Build: "test",
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Decompress: unzip,
	}
	return w
}

func unzip(suffix string, r io.Reader) (io.ReadCloser, error) {
	if suffix != ".gz" {
		return nil, errors.New("only gzip here")
	}
	return gzip.NewReader(r)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) note(place string) func(context.Context, membucket.Call) membucket.Fault {
	return func(_ context.Context, c membucket.Call) membucket.Fault {
		w.mu.Lock()
		defer w.mu.Unlock()
		c.Key = place + c.Key
		w.calls = append(w.calls, c)
		return membucket.Fault{}
	}
}

// set is one that began a minute ago, with WAL that follows that of the last.
func (w *world) set(server string) *settest.Set {
	s := settest.New(server, w.clock())
	s.Manifest.Begin.LSN, s.Manifest.End.LSN = w.lsn, w.lsn+0x180000
	s.Relabel()
	w.lsn += 0x200000
	return s
}

// uploaded is a complete set of which nobody told the finalizer.
func (w *world) uploaded(server string) *settest.Set {
	w.t.Helper()
	s := w.set(server)
	s.Upload(w.t, w.vault.Bucket())
	return s
}

func (w *world) sealed(server string) *settest.Set {
	w.t.Helper()
	s := w.uploaded(server)
	w.pass(time.Second)
	if v, err := w.f.Finalize(w.t.Context(), server, s.ID()); err != nil || v.State != finalizer.Sealed {
		w.t.Fatalf("%+v, %v", v, err)
	}
	return s
}

func (w *world) create(key string, body string) {
	w.t.Helper()
	if _, err := w.vault.Bucket().Create(w.t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// record writes staging's backup.info, as the uploader does.
func (w *world) record(server, id, status string) {
	w.t.Helper()
	body, err := backupinfo.Render(backupinfo.Info{Status: status, ServerName: "cloud", BeginTime: w.clock()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(layout.BackupInfo(server, id), body)
}

func (w *world) heartbeat(server, id string) {
	w.t.Helper()
	body, err := json.Marshal(manifest.Progress{Server: server, BackupID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(layout.Progress(server, id), body)
}

func (w *world) put(key string, body []byte) {
	w.t.Helper()
	if err := w.staging.Overwrite(key, body); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sweep() finalizer.SweepReport {
	w.t.Helper()
	w.calls = nil
	r, err := w.f.Sweep(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) state(server, id string) finalizer.State {
	w.t.Helper()
	v, _, err := finalizer.ReadVerdict(w.t.Context(), w.staging.Bucket(), server, id)
	if errors.Is(err, bucket.ErrNotFound) {
		return ""
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return v.State
}

func (w *world) swept(server, id string) finalizer.SweepRecord {
	w.t.Helper()
	r, err := finalizer.ReadSweepRecord(w.t.Context(), w.staging.Bucket(), server, id)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		w.t.Fatal(err)
	}
	return r
}
