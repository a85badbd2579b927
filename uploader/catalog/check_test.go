package catalog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
)

func TestWhatMonitoringIsTold(t *testing.T) {
	// A backup is sealed at 03:01 on the 20th, and its WAL archived then.
	for name, tc := range map[string]struct {
		then   func(w *world, sealed string)
		maxAge time.Duration
		maxWAL time.Duration
		want   catalog.Severity
		says   string
	}{
		"fine": {maxAge: 26 * time.Hour, maxWAL: 15 * time.Minute, want: catalog.OK,
			says: "PGSEAL OK - newest sealed backup 20261120T030000 ended 1 min ago; newest WAL is 1 min old | " +
				"seal_age=70s;;93600 wal_age=60s;;900 sealed=1 running=0 waiting=0 rejected=0 failed=0"},
		"no limits": {then: func(w *world, _ string) { w.at("29T03:01") }, want: catalog.OK, says: "ended 9 d ago; newest WAL is 9 d old | seal_age="},
		"too old": {then: func(w *world, _ string) { w.at("21T06:01") }, maxAge: 26 * time.Hour, want: catalog.Critical,
			says: "PGSEAL CRITICAL - newest sealed backup 20261120T030000 ended 1 d 3 h ago (max 1 d 2 h)"},
		"WAL too old": {then: func(w *world, _ string) { w.at("20T03:20") }, maxAge: 26 * time.Hour, maxWAL: 15 * time.Minute, want: catalog.Critical,
			says: "newest WAL 000000010000000000000004 is 19 min old (max 15 min; an idle server archives nothing unless archive_timeout is set)"},
		"no WAL": {then: func(w *world, _ string) { w.lose(server + "/wals/0000000100000000") }, maxWAL: time.Hour, want: catalog.Critical, says: "no WAL is archived"},
		"a newer one waits": {then: func(w *world, _ string) {
			w.at("20T04:01")
			s := w.set()
			s.UploadArchives(w.t, w.vault)
			s.UploadManifest(w.t, w.vault)
			w.finalize(s.ID(), finalizer.Config{})
		}, want: catalog.Warning, says: "20261120T040000 is waiting: WAL segment"},
		"a newer one is rejected": {then: func(w *world, _ string) {
			w.at("20T04:01")
			w.create(layout.Manifest(server, "20261120T040000"), "{}")
			w.finalize("20261120T040000", finalizer.Config{})
		}, want: catalog.Critical, says: "20261120T040000 is rejected: manifest"},
		"a newer one failed, with a bar in its words": {then: func(w *world, _ string) {
			w.record("20261120T040000", backupinfo.Failed, "a|b")
		}, want: catalog.Warning, says: "20261120T040000 is failed: a/b |"},
		"an older one failed":     {then: func(w *world, _ string) { w.record("20261119T040000", backupinfo.Failed, "x") }, want: catalog.OK, says: "failed=1"},
		"a newer one runs":        {then: func(w *world, _ string) { w.record("20261120T040000", backupinfo.Started, "") }, want: catalog.OK, says: "running=1"},
		"a newer one is complete": {then: func(w *world, _ string) { complete(w); w.at("20T04:59") }, want: catalog.OK, says: "PGSEAL OK"},
		"nobody judges a newer one": {then: func(w *world, _ string) { complete(w); w.at("20T05:05") }, want: catalog.Warning,
			says: "20261120T040000 is complete"},
		"an old one has findings": {then: func(w *world, id string) {
			v, _, err := finalizer.ReadVerdict(w.t.Context(), w.staging, server, id)
			if err != nil {
				w.t.Fatal(err)
			}
			v.Findings = []finalizer.Reason{{Code: "added", Text: "an archive was added"}}
			w.json(layout.Verdict(server, id), v)
			w.at("20T04:01")
			w.seal(finalizer.Config{})
		}, want: catalog.Critical, says: "20261120T030000 is sealed, and now: an archive was added"},
		"a gap after the newest": {then: func(w *world, _ string) { w.segments(1, 7, 7) }, want: catalog.Warning,
			says: "after 20261120T030000 WAL is missing from 000000010000000000000006 on"},
		"none sealed": {then: func(w *world, id string) { w.lose(server+"/base/"+id, "x"); w.lose("../staging/_pgseal") }, want: catalog.Critical,
			says: "PGSEAL CRITICAL - no sealed backup; newest WAL is 1 min old | wal_age=60s sealed=0"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.seal(finalizer.Config{})
			w.at("20T03:02")
			if tc.then != nil {
				tc.then(w, s.ID())
			}
			severity, line := w.read().Check(tc.maxAge, tc.maxWAL, 0)
			if severity != tc.want || !strings.Contains(line, tc.says) || strings.Count(line, "|") != 1 || strings.Contains(line, "\n") {
				t.Errorf("%v: %s", severity, line)
			}
		})
	}
}

// complete leaves a set with a marker.
func complete(w *world) {
	w.at("20T04:01")
	s := w.set()
	s.UploadArchives(w.t, w.vault)
	s.UploadManifest(w.t, w.vault)
	w.mark(s.ID())
}
