package catalog_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// drilled leaves the proof of a drill of a set; a reason makes it one that failed.
func (w *world) drilled(s *settest.Set, reason string, change func(*proof.Proof)) {
	w.t.Helper()
	body, _, err := bucket.ReadAll(w.t.Context(), w.vault, layout.Manifest(server, s.ID()), "", manifest.MaxBytes)
	if err != nil {
		w.t.Fatal(err)
	}
	p := proof.Proof{
		Format: 1, Server: server, BackupID: s.ID(), Outcome: proof.Passed, ManifestSHA256: manifest.Digest(body), RecoveredTo: 0x300100,
		Steps: []proof.Step{{Name: proof.Restore, Outcome: proof.Passed}, {Name: proof.Check, Outcome: proof.Passed}}, Host: "drill-1", Begin: w.now, End: w.now,
	}
	if reason != "" {
		p.Outcome, p.Steps[1].Outcome, p.Steps[1].Text = proof.Failed, proof.Failed, reason
	}
	if change != nil {
		change(&p)
	}
	if body, err = json.Marshal(p); err != nil {
		w.t.Fatal(err)
	}
	w.put(layout.Drill(server, s.ID()), string(body))
}

func TestDrillsAreShown(t *testing.T) {
	w := newWorld(t)
	old := w.seal(finalizer.Config{})
	w.at("20T04:01")
	newer := w.seal(finalizer.Config{})
	w.at("20T05:00")
	w.drilled(old, "", nil)
	w.at("20T06:00")
	w.drilled(newer, "pg_amcheck: index \x1b[31m\"story\" has seven\nleaves", nil)
	w.at("22T06:00")
	c := w.read()
	if d := of(t, c, old.ID()).Drill; d == nil || d.Outcome != proof.Passed || d.Host != "drill-1" || d.Age != 49*3600 || d.Reason != "" {
		t.Errorf("%+v", d)
	}
	if d := of(t, c, newer.ID()).Drill; d == nil || d.Outcome != proof.Failed || d.Step != "check" || d.Reason != `pg_amcheck: index ?[31m"story" has seven leaves` {
		t.Errorf("%+v", d)
	}
	if c.Drill == nil || c.Drill.BackupID != old.ID() {
		t.Errorf("%+v", c.Drill)
	}
	text := table(t, c)
	fits(t, text)
	for _, want := range []string{
		"WAL checked, drilled 2026-11-20\n", "  drill failed\n", "Newest drill that passed: " + old.ID() + ", 2 d 1 h ago.\n", newer.ID() + ": sealed, but needs attention",
		"Its last drill, on drill-1 2 d ago, failed at the step check: pg_amcheck", "next: pgseal drill --staging-url s3://staging s3://vault/barman pg1 " + newer.ID(),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}

	severity, line := c.Check(0, 0, 0)
	if severity != catalog.Critical || !strings.Contains(line, newer.ID()+" is sealed, and its drill failed: check: pg_amcheck") || !strings.Contains(line, "drill_age=176400s") {
		t.Error(line)
	}
	w.drilled(newer, "", nil) // put right, and drilled again
	w.at("23T06:00")
	for age, want := range map[time.Duration]catalog.Severity{0: catalog.OK, 25 * time.Hour: catalog.OK, 23 * time.Hour: catalog.Critical} {
		if severity, line := w.read().Check(0, 0, age); severity != want {
			t.Errorf("%v: %s", age, line)
		}
	}
}

func TestWithoutADrillACheckOfItsAgeIsCritical(t *testing.T) {
	w := newWorld(t)
	w.seal(finalizer.Config{})
	if severity, line := w.read().Check(0, 0, time.Hour); severity != catalog.Critical || !strings.Contains(line, "no drill has passed") {
		t.Error(line)
	}
}

// A proof that is of something else, or that nobody can read, proves nothing.
func TestWhatProvesNothing(t *testing.T) {
	w := newWorld(t)
	s := w.seal(finalizer.Config{})
	w.drilled(s, "", func(p *proof.Proof) { p.ManifestSHA256 = strings.Repeat("0", 64) })
	if c := w.read(); of(t, c, s.ID()).Drill != nil || c.Drill != nil {
		t.Errorf("a proof of another seal counts: %+v", c.Drill)
	}
	w.drilled(s, "", func(p *proof.Proof) { p.Steps = nil })
	c := w.read()
	if of(t, c, s.ID()).Drill != nil || c.Drill != nil || !strings.Contains(strings.Join(c.Notes, "\n"), "what the last drill of "+s.ID()+" came to cannot be read") {
		t.Errorf("%+v %q", c.Drill, c.Notes)
	}
	w.drilled(s, "", nil)
	w.staging = unseen{w.staging}
	if c := w.read(); c.Drill != nil || len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "these credentials may not read what came of drills (1 of") {
		t.Errorf("%+v %q", c.Drill, c.Notes)
	}
}

// unseen refuses proofs, as staging does to a host.
type unseen struct{ bucket.Bucket }

func (u unseen) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if strings.HasPrefix(key, layout.DrillDir(server)) {
		return nil, bucket.Object{}, &bucket.Error{Op: "read", Key: key, Kind: bucket.ErrDenied}
	}
	return u.Bucket.Open(ctx, key, version, offset, length)
}
