package catalog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

func TestHowThingsStand(t *testing.T) {
	const id = "20261120T040000"
	for name, tc := range map[string]struct {
		do    func(w *world) string // gives the id
		state catalog.State
		says  string // in a reason or finding
		next  string
	}{
		"begun, and no heartbeat yet": {do: func(w *world) string {
			w.record(id, backupinfo.Started, "")
			return id
		}, state: catalog.Running},
		"a heartbeat of 30 minutes ago": {do: func(w *world) string {
			w.record(id, backupinfo.Started, "")
			w.heartbeat(id, manifest.Progress{})
			w.now = w.now.Add(30 * time.Minute)
			return id
		}, state: catalog.Running},
		"no heartbeat for longer": {do: func(w *world) string {
			w.record(id, backupinfo.Started, "")
			w.heartbeat(id, manifest.Progress{})
			w.now = w.now.Add(30*time.Minute + time.Second)
			return id
		}, state: catalog.Abandoned, says: "no sign of life for 30 min", next: "pgseal backup --staging-url s3://staging s3://vault/barman pg1"},
		"a heartbeat alone": {do: func(w *world) string {
			w.heartbeat(id, manifest.Progress{})
			return id
		}, state: catalog.Running},
		"killed between manifest and marker": {do: func(w *world) string {
			s := w.set()
			w.record(s.ID(), backupinfo.Started, "")
			s.Upload(w.t, w.vault)
			w.now = w.now.Add(time.Hour)
			return s.ID()
		}, state: catalog.Unsealed, says: "marker that wakes the finalizer is missing", next: "pgseal finalize "},
		"a manifest of which staging knows nothing any more": {do: func(w *world) string {
			s := w.set()
			s.Upload(w.t, w.vault)
			return s.ID()
		}, state: catalog.Unsealed, says: "neither marker nor verdict", next: "pgseal finalize "},
		"a marker without a manifest": {do: func(w *world) string {
			w.mark(id)
			return id
		}, state: catalog.Complete, says: "is this the vault", next: "pgseal status "},
		"sealed, and the function died before its verdict": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.put(layout.Verdict(server, s.ID()), `{"format":1,"server":"pg1","backup_id":"`+s.ID()+`","verdict":"waiting","wal":{"checked":true}}`)
			return s.ID()
		}, state: catalog.Sealed, next: "pgseal restore s3://vault/barman pg1 20261120T030000 "},
		"a seal that another one was written over": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			v, _, err := finalizer.ReadVerdict(w.t.Context(), w.staging, server, s.ID())
			if err != nil {
				w.t.Fatal(err)
			}
			v.Receipt.SHA256 = strings.Repeat("0", 64)
			w.json(layout.Verdict(server, s.ID()), v)
			return s.ID()
		}, state: catalog.Sealed, says: "another one was written over it", next: "pgseal backup "},
		"an audit found something": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.create(s.Key("data_9999.tar"), "x")
			w.now = w.now.Add(time.Hour)
			w.sweep()
			return s.ID()
		}, state: catalog.Sealed, says: "a restore would read it", next: "pgseal backup "},
		"an audit's record that is none": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.put(layout.SweepRecord(server, s.ID()), "{")
			return s.ID()
		}, state: catalog.Sealed, says: "what the last audit found cannot be read", next: "pgseal backup "},
		"an unreadable verdict on a sealed backup": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.put(layout.Verdict(server, s.ID()), "{")
			return s.ID()
		}, state: catalog.Sealed, says: "unexpected end of JSON"},
		"a verdict on another backup": {do: func(w *world) string {
			w.put(layout.Verdict(server, id), `{"format":1,"server":"pg2","backup_id":"`+id+`","verdict":"sealed","wal":{}}`)
			return id
		}, state: catalog.Unreadable, says: "not on this backup"},
		"a verdict of a later version": {do: func(w *world) string {
			w.put(layout.Verdict(server, id), `{"format":1,"server":"pg1","backup_id":"`+id+`","verdict":"\u001b[2Jshiny","wal":{}}`)
			return id
		}, state: catalog.Unreadable, says: "unknown to this version"},
		"deleted when its retention had ended": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.now = w.now.Add(31 * 24 * time.Hour)
			w.lose(server + "/base/" + s.ID())
			return s.ID()
		}, state: catalog.Deleted},
		"gone before its retention ended": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.lose(server + "/base/" + s.ID())
			return s.ID()
		}, state: catalog.Tampered, says: "the verdict says sealed", next: "pgseal finalize "},
		"half deleted": {do: func(w *world) string {
			s := w.seal(finalizer.Config{})
			w.now = w.now.Add(31 * 24 * time.Hour)
			w.lose(s.Key("backup.info"), s.Key("manifest.json"), s.Key("data.tar"))
			return s.ID()
		}, state: catalog.Leftovers, says: "not all of it"},
		"a forged seal that says FAILED": {do: func(w *world) string {
			w.create(layout.BackupInfo(server, id), "# pgseal manifest_sha256=00\nstatus=FAILED\n")
			return id
		}, state: catalog.Conflict, says: `its status is "FAILED"`},
		"stock barman's of barman 3.19 while it runs": {do: func(w *world) string {
			w.create(layout.BackupInfo(server, id), "status=STARTED\nbegin_time=2026-11-20 04:00:00+00:00\nend_time=None\n")
			return id
		}, state: catalog.Foreign, next: "barman-cloud-backup-show --cloud-provider aws-s3 s3://vault/barman pg1 " + id},
		"a seal longer than any": {do: func(w *world) string {
			w.create(layout.BackupInfo(server, id), strings.Repeat("#", backupinfo.MaxBytes+1))
			return id
		}, state: catalog.Unreadable, says: "larger than allowed"},
		"a heartbeat that is none": {do: func(w *world) string {
			w.record(id, backupinfo.Started, "")
			w.put(layout.Progress(server, id), `{"server":"pg1","backup_id":"`+id+`","bytes":-1}`)
			return id
		}, state: catalog.Running, says: "not of this backup"},
		"a staging record that is none": {do: func(w *world) string {
			w.put(layout.BackupInfo(server, id), "status")
			return id
		}, state: catalog.Unreadable, says: "has no '='"},
		"complete by its record, and the vault has no manifest": {do: func(w *world) string {
			w.record(id, backupinfo.Done, "")
			w.create(layout.BackupDir(server, id)+"data.tar", "x")
			return id
		}, state: catalog.Leftovers, says: "staging says that the backup was complete"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			which := tc.do(w)
			c := w.read()
			b := of(t, c, which)
			reasons := ""
			for _, r := range append(b.Reasons, b.Findings...) {
				reasons += r.Text + "\n"
			}
			if b.State != tc.state || !strings.Contains(reasons, tc.says) || tc.says == "" && reasons != "" || !strings.HasPrefix(b.Next, tc.next) {
				t.Errorf("%s, next %q: %s", b.State, b.Next, reasons)
			}
			fits(t, table(t, c))
		})
	}
}
