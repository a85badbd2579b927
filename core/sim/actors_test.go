package sim_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
)

// backup is one that a host takes.
type backup struct {
	server string
	set    *settest.Set
	parts  []string
	wal    string // "in time", "late", "never"
}

// plan adds a backup that begins now. Its WAL follows that of the server's last.
func (w *world) plan(server, wal string, small bool) *backup {
	n := 0
	for _, b := range w.backups {
		if b.server == server {
			n++
		}
	}
	s := settest.New(server, w.now.Add(time.Minute))
	s.Manifest.Begin.LSN = layout.LSN(0x300028 + n*0x200000)
	s.Manifest.End.LSN = s.Manifest.Begin.LSN + 0x180000
	b := &backup{server: server, set: s, parts: []string{"16385.tar", "data.tar", "data_0001.tar"}, wal: wal}
	if small {
		b.parts = []string{"data.tar"}
		s.Manifest.Cluster.Tablespaces = nil
		s.Manifest.End.LSN = s.Manifest.Begin.LSN + 0x1000
	}
	s.Relabel()
	w.backups = append(w.backups, b)
	return b
}

// persist tries again what may succeed later, as the uploader does.
func persist(f func() error) (err error) {
	for range 4 {
		if err = f(); err == nil || !bucket.Retryable(err) {
			return err
		}
	}
	return err
}

// upload is what an uploader asks of the stores.
func (w *world) upload(b *backup) *actor {
	return w.start("host", "upload", nil, func(a *actor) error {
		vault, staging := a.open("vault", false), a.open("staging", false)
		id, server := b.set.ID(), b.server
		record := func(status, failure string) error {
			body, err := backupinfo.Render(backupinfo.Info{Status: status, Error: failure, ServerName: "cloud", BeginTime: b.set.Manifest.Begin.Time})
			if err != nil {
				return err
			}
			if status == backupinfo.Started {
				return persist(func() error {
					_, err := bucket.CreateOrMatch(a.ctx, staging, layout.BackupInfo(server, id), body, bucket.CreateOptions{})
					return err
				})
			}
			return persist(func() error {
				_, err := staging.Put(a.ctx, layout.BackupInfo(server, id), body)
				return err
			})
		}
		if err := record(backupinfo.Started, ""); err != nil {
			return err
		}
		beat, err := json.Marshal(manifest.Progress{Server: server, BackupID: id})
		if err != nil {
			return err
		}
		_, _ = staging.Put(a.ctx, layout.Progress(server, id), beat)
		m := b.set.Manifest
		m.Objects = nil
		err = func() error {
			for _, name := range b.parts {
				body := b.set.Archives[name]
				var obj bucket.Object
				err := persist(func() (err error) {
					obj, err = bucket.CreateStream(a.ctx, vault, b.set.Key(name), bytes.NewReader(body), bucket.CreateOptions{})
					return err
				})
				if err != nil {
					return err
				}
				sum := sha256.Sum256(body)
				m.Objects = append(m.Objects, manifest.Object{Name: name, Size: obj.Size, SHA256: hex.EncodeToString(sum[:]), CRC32C: obj.CRC32C, ETag: obj.ETag, Version: obj.Version})
			}
			body, err := manifest.Encode(m)
			if err != nil {
				return err
			}
			return persist(func() error {
				_, err := bucket.CreateOrMatch(a.ctx, vault, b.set.Key("manifest.json"), body, bucket.CreateOptions{})
				return err
			})
		}()
		if err != nil {
			return errors.Join(err, record(backupinfo.Failed, "failed"))
		}
		_ = record(backupinfo.Done, "")
		return persist(func() error {
			_, err := staging.Put(a.ctx, layout.Marker(server, id), []byte("{}"))
			return err
		})
	})
}

// archive is the archiver: it never gives up, and its process is started again.
func (w *world) archive(b *backup) *actor {
	return w.start("host", "archiver", nil, func(a *actor) error {
		vault := a.open("vault", false)
		m := b.set.Manifest
		for n := m.FirstSegment().Number; n <= m.LastSegment().Number; n++ {
			s := layout.Segment{Timeline: 1, Number: n}
			key := layout.WAL(b.server, s.Name(settest.Size), ".gz") // not truly compressed: see unpacked
			if err := persist(func() error {
				_, err := bucket.CreateOrMatch(a.ctx, vault, key, head(b, s), bucket.CreateOptions{})
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// head is a segment as small as it can be.
func head(b *backup, s layout.Segment) []byte {
	body := make([]byte, 40)
	le := binary.LittleEndian
	le.PutUint16(body, 0xD110)
	le.PutUint16(body[2:], 2)
	le.PutUint32(body[4:], s.Timeline)
	le.PutUint64(body[8:], s.Number*settest.Size)
	le.PutUint64(body[24:], b.set.Manifest.Cluster.SystemID)
	le.PutUint32(body[32:], settest.Size)
	le.PutUint32(body[36:], 8192)
	return body
}

// unpacked stands for the decompression of what is not compressed, so that
// segments can be short.
func unpacked(_ string, r io.Reader) (io.ReadCloser, error) { return io.NopCloser(r), nil }

// call is one call of the function.
func (w *world) call(a *actor, stale bool, skew time.Duration) *finalizer.Finalizer {
	return &finalizer.Finalizer{
		Vault: a.open("vault", stale), Staging: a.open("staging", stale),
		Config:     finalizer.Config{WALDeadline: 72 * time.Hour, MinRetention: w.minRetention, SealRetention: w.sealRetention},
		Decompress: unpacked, Now: func() time.Time { return w.now.Add(skew) }, Build: fmt.Sprint(a.n),
	}
}

// deliver calls the function for one event.
func (w *world) deliver(n int) *actor { return w.deliverWith(n, false, 0) }

func (w *world) deliverWith(n int, stale bool, skew time.Duration) *actor {
	e := w.events[n]
	w.events = slices.Delete(w.events, n, n+1)
	return w.start("finalizer", "finalizer", &e, func(a *actor) error {
		_, err := w.call(a, stale, skew).Finalize(a.ctx, e.server, e.id)
		return err
	})
}

func (w *world) sweep(stale bool, skew time.Duration) *actor {
	return w.start("finalizer", "sweep", nil, func(a *actor) error {
		_, err := w.call(a, stale, skew).Sweep(a.ctx)
		return err
	})
}

// Times between the sweeps that end a history: a deadline for WAL passes, and
// everything becomes due that ever will.
var (
	long  = []time.Duration{time.Hour, 2 * time.Hour, 26 * time.Hour, 50 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour}
	short = []time.Duration{time.Hour, 80 * time.Hour}
)

// heal ends the faults, gives late WAL, and lets sweeps do what is left.
func (w *world) heal(pauses []time.Duration) {
	w.drain()
	for _, b := range w.backups {
		if b.wal != "never" {
			w.archive(b)
			w.drain()
		}
	}
	for _, d := range pauses {
		w.now = w.now.Add(d)
		w.sweep(false, 0)
		w.drain()
	}
}
