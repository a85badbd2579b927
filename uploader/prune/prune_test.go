package prune_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
	"github.com/pgseal/pgseal/uploader/prune"
)

const server = "main"

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a vault with a backup each day, of three objects beside its backup.info.
type world struct {
	t   *testing.T
	now time.Time
	s   *membucket.Store
	out bytes.Buffer
}

func newWorld(t *testing.T, p membucket.Personality, lock time.Duration, backups int) *world {
	t.Helper()
	w := &world{t: t, now: start}
	w.s = membucket.New(membucket.Options{Personality: p, URL: "s3://vault/path", Now: func() time.Time { return w.now }, Locked: true, Default: lock})
	for day := range backups {
		w.now = start.AddDate(0, 0, day)
		w.put(layout.WAL(server, segment(2*day+1), ".gz"), "wal")
		id := w.id(day)
		for _, name := range []string{"data.tar", "data_0001.tar", layout.ManifestName} {
			w.put(layout.BackupDir(server, id)+name, name)
		}
		w.put(layout.WAL(server, segment(2*day+2), ".gz"), "wal")
		w.put(layout.BackupInfo(server, id), fmt.Sprintf("status=DONE\ntimeline=1\nbegin_wal=%s\nend_wal=%s\nend_time=%s\n",
			segment(2*day+2), segment(2*day+2), w.now.Format("2006-01-02 15:04:05-07:00")))
	}
	return w
}

func segment(n int) string { return fmt.Sprintf("0000000100000000%08X", n) }

func (w *world) id(day int) string { return layout.BackupID(start.AddDate(0, 0, day)) }

func (w *world) put(key, body string) {
	w.t.Helper()
	if _, err := w.s.Bucket().Create(w.t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// deleter works with requests that fail as the hook says.
func (w *world) deleter(hook func(membucket.Call) membucket.Fault) *prune.Deleter {
	b := w.s.Bucket()
	if hook != nil {
		b = w.s.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault { return hook(c) }, false)
	}
	return &prune.Deleter{
		Catalogue: barman.Catalogue{Vault: b, Server: server}, Remover: membucket.Remover(b), Out: &w.out,
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	}
}

func (w *world) keys() (all []string) {
	for _, v := range w.s.Everything("") {
		all = append(all, v.Key)
	}
	return all
}

func (w *world) below(prefix string) (n int) {
	for _, key := range w.keys() {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

var stores = []membucket.Personality{membucket.S3, membucket.GCS, membucket.Azure}

func TestNothingGoesWhileAnythingIsLocked(t *testing.T) {
	for _, p := range stores {
		w := newWorld(t, p, 30*24*time.Hour, 3)
		w.now = start.AddDate(0, 0, 31)
		// The newest object of the first backup is free by now; an older one was locked for longer.
		if err := w.s.Bucket().Retain(t.Context(), layout.BackupDir(server, w.id(0))+"data.tar", "", start.AddDate(0, 0, 40)); err != nil {
			t.Fatal(err)
		}
		before := w.keys()
		if err := w.deleter(nil).One(t.Context(), w.id(0)); !errors.Is(err, bucket.ErrRetained) || !strings.Contains(err.Error(), "data.tar: under retention (until 2026-02-10T") {
			t.Errorf("%v: %v", p, err)
		}
		if err := w.deleter(nil).ByPolicy(t.Context(), prune.Policy{Redundancy: 2}); err != nil || !strings.Contains(w.out.String(), "until 2026-02-10") {
			t.Errorf("%v: %v %s", p, err, w.out.String())
		}
		if after := w.keys(); !slices.Equal(before, after) {
			t.Errorf("%v: %q, was %q", p, after, before)
		}
		w.now = start.AddDate(0, 0, 41)
		if err := w.deleter(nil).One(t.Context(), w.id(0)); err != nil || w.below(layout.BackupDir(server, w.id(0))) != 0 {
			t.Errorf("%v: %v, %q", p, err, w.keys())
		}
	}
}

// At every request a deletion dies. What is left is never a DONE entry without its data, and the same command finishes.
func TestADeletionThatDiesIsFinishedByTheSameCommand(t *testing.T) {
	for _, p := range stores {
		for _, took := range []bool{false, true} {
			for _, byPolicy := range []bool{false, true} {
				for dies, ended := 1, false; !ended; dies++ {
					w := newWorld(t, p, time.Hour, 3)
					w.now = start.AddDate(0, 1, 0)
					run := func(d *prune.Deleter) error {
						if byPolicy {
							return d.ByPolicy(t.Context(), prune.Policy{Redundancy: 2})
						}
						return d.One(t.Context(), w.id(0))
					}
					n := 0
					d := w.deleter(func(c membucket.Call) membucket.Fault {
						if !c.Changes() {
							return membucket.Fault{}
						}
						switch n++; {
						case n == dies:
							return membucket.Fault{Skip: !took, Err: membucket.ErrServer}
						case n > dies:
							return membucket.Fault{Skip: true, Err: membucket.ErrServer}
						}
						return membucket.Fault{}
					})
					d.Batch = 1
					ended = run(d) == nil
					if dir := layout.BackupDir(server, w.id(0)); w.below(dir+layout.BackupInfoName) > 0 && w.below(dir+"data") != 2 {
						t.Fatalf("%v, %d: a backup without its data: %q", p, dies, w.keys())
					}
					if err := run(w.deleter(nil)); err != nil {
						t.Fatalf("%v, %d: %v", p, dies, err)
					}
					if left := w.below(layout.BackupDir(server, w.id(0))); left != 0 || w.below(layout.BaseDir(server)) != 8 {
						t.Fatalf("%v, %d: %q", p, dies, w.keys())
					}
				}
			}
		}
	}
}

func TestUploadsAreNotTakenForLeftovers(t *testing.T) {
	w := newWorld(t, membucket.S3, time.Hour, 2)
	w.now = start.AddDate(0, 0, 20)
	older := layout.BackupID(start.AddDate(0, 0, -1))
	w.put(layout.BackupDir(server, older)+"data.tar", "an upload that runs")
	waiting := layout.BackupID(start.AddDate(0, 0, -2))
	w.put(layout.BackupDir(server, waiting)+"data.tar", "")
	w.put(layout.Manifest(server, waiting), "{}")
	w.now = w.now.Add(2 * time.Hour)
	for _, id := range []string{older, waiting} {
		if err := w.deleter(nil).One(t.Context(), id); !errors.Is(err, prune.ErrUnsure) {
			t.Errorf("%s: %v", id, err)
		}
	}
	wals := w.below(layout.WALDir(server))
	if err := w.deleter(nil).ByPolicy(t.Context(), prune.Policy{Redundancy: 1}); err != nil {
		t.Fatal(err)
	}
	if w.below(layout.BackupDir(server, older)) != 1 || w.below(layout.BackupDir(server, waiting)) != 2 || w.below(layout.BackupDir(server, w.id(0))) != 0 {
		t.Errorf("%q", w.keys())
	}
	if w.below(layout.WALDir(server)) != wals {
		t.Error("WAL went that a backup without a seal may need")
	}
	w.now = w.now.Add(prune.Quiet)
	if err := w.deleter(nil).One(t.Context(), older); err != nil || w.below(layout.BackupDir(server, older)) != 0 {
		t.Errorf("%v %q", err, w.keys())
	}
	if err := w.deleter(nil).One(t.Context(), waiting); !errors.Is(err, prune.ErrUnsure) {
		t.Errorf("a set with a manifest: %v", err)
	}
}

func TestVersionsAndMarkersGoForGood(t *testing.T) {
	w := newWorld(t, membucket.S3, time.Hour, 2)
	dir := layout.BackupDir(server, w.id(0))
	for _, err := range []error{w.s.Overwrite(dir+"data.tar", []byte("again")), w.s.Delete(dir+"data_0001.tar", ""), w.s.Overwrite(dir+"annotations/keep", []byte("full")), w.s.Delete(dir+"annotations/keep", "")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.now = start.AddDate(0, 1, 0)
	if err := w.deleter(nil).One(t.Context(), w.id(0)); err != nil || w.below(dir) != 0 {
		t.Errorf("%v %q", err, w.keys())
	}
}

// What stock barman deletes on S3 stays behind delete markers, and so does what an intruder hides.
func TestAHiddenBackupGoesByItsIDAlone(t *testing.T) {
	w := newWorld(t, membucket.S3, time.Hour, 3)
	dir := layout.BackupDir(server, w.id(0))
	w.s.Destroy(layout.Manifest(server, w.id(0)))
	for _, name := range []string{"data.tar", "data_0001.tar", layout.BackupInfoName} {
		if err := w.s.Delete(dir+name, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.now = start.AddDate(0, 1, 0)
	if err := w.deleter(nil).ByPolicy(t.Context(), prune.Policy{Redundancy: 2}); err != nil || w.below(dir) != 6 {
		t.Errorf("%v %q", err, w.keys())
	}
	if err := w.deleter(nil).One(t.Context(), w.id(0)); err != nil || w.below(dir) != 0 {
		t.Errorf("%v %q", err, w.keys())
	}
}

// An annotation that was released is no part of the backup: its lock holds nothing up.
func TestALockedAnnotationIsLeftBehind(t *testing.T) {
	w := newWorld(t, membucket.S3, 48*time.Hour, 2)
	w.now = start.AddDate(0, 1, 0)
	keep := layout.Keep(server, w.id(0))
	w.put(keep, "full")
	if err := w.deleter(nil).One(t.Context(), w.id(0)); !errors.Is(err, prune.ErrKept) {
		t.Fatal(err)
	}
	if err := membucket.Remover(w.s.Bucket()).Hide(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	if err := w.deleter(nil).One(t.Context(), w.id(0)); err != nil || w.below(layout.BackupDir(server, w.id(0))) != w.below(keep) {
		t.Errorf("%v %q", err, w.keys())
	}
	w.now = w.now.AddDate(0, 0, 3)
	if err := w.deleter(nil).One(t.Context(), w.id(0)); err != nil || w.below(layout.BackupDir(server, w.id(0))) != 0 {
		t.Errorf("%v %q", err, w.keys())
	}
}

func TestLockedWALStaysAndGoesLater(t *testing.T) {
	w := newWorld(t, membucket.GCS, time.Hour, 3)
	w.now = start.AddDate(0, 1, 0)
	locked := layout.WAL(server, segment(1), ".gz")
	if err := w.s.Bucket().Retain(t.Context(), locked, "", w.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.deleter(nil).ByPolicy(t.Context(), prune.Policy{Redundancy: 2}); err != nil || !strings.Contains(w.out.String(), "still locked") {
		t.Fatalf("%v %s", err, w.out.String())
	}
	if w.below(layout.WALDir(server)) != 4 || w.below(locked) != 1 {
		t.Errorf("%q", w.keys())
	}
	w.now = w.now.Add(2 * time.Hour)
	if err := w.deleter(nil).ByPolicy(t.Context(), prune.Policy{Redundancy: 1}); err != nil || w.below(layout.WALDir(server)) != 1 {
		t.Errorf("%v %q", err, w.keys())
	}
}

func TestWhatCannotBeReadOrSeenEndsADeletion(t *testing.T) {
	for _, kind := range []error{bucket.ErrDenied, bucket.ErrUnavailable} {
		for _, op := range []string{"removable", "versions", "dirs", "read"} {
			w := newWorld(t, membucket.S3, time.Hour, 3)
			w.now = start.AddDate(0, 1, 0)
			before := w.keys()
			d := w.deleter(func(c membucket.Call) membucket.Fault {
				if c.Op == op {
					return membucket.Fault{Skip: true, Err: &bucket.Error{Kind: kind, Code: "no"}}
				}
				return membucket.Fault{}
			})
			if err := d.ByPolicy(t.Context(), prune.Policy{Redundancy: 1}); !errors.Is(err, kind) {
				t.Errorf("%s: %v", op, err)
			}
			if after := w.keys(); !slices.Equal(before, after) {
				t.Errorf("%s: %q", op, after)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	for text, want := range map[string]prune.Policy{
		"REDUNDANCY 3": {Redundancy: 3}, " redundancy  0 ": {}, "RECOVERY WINDOW OF 1 DAY": {Window: true, Reach: 24 * time.Hour},
		"recovery window of 2 weeks": {Window: true, Reach: 14 * 24 * time.Hour}, "Recovery Window Of 3 Months": {Window: true, Reach: 93 * 24 * time.Hour},
	} {
		if got, err := prune.ParsePolicy(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "REDUNDANCY", "REDUNDANCY -1", "REDUNDANCY 99999999999999999999", "RECOVERY WINDOW OF 1 YEAR", "RECOVERY WINDOW OF 99999999 DAYS", "main"} {
		if got, err := prune.ParsePolicy(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add("RECOVERY WINDOW OF 14 DAYS")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := prune.ParsePolicy(s); err == nil && (p.Redundancy < 0 || p.Reach < 0) {
			t.Errorf("%q: %+v", s, p)
		}
	})
}
