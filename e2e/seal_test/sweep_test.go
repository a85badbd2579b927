package seal_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// sweep runs the sweep as the finalizer, with its rights and no others, and with these settings.
func (s *story) sweep(t *testing.T, env ...string) finalizer.SweepReport {
	t.Helper()
	config, err := finalizer.ConfigFromEnv(func(name string) (value string) {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				value = v
			}
		}
		return value
	})
	if err != nil {
		t.Fatal(err)
	}
	f := finalizer.Finalizer{
		Vault: s.open(t, cloud.Finalizer, s.VaultURL()), Staging: s.open(t, cloud.Finalizer, s.StagingURL()), Config: config, Build: "test",
		Now:        func() time.Time { return time.Now().Add(1000 * time.Hour) }, // nobody's clock but the store's counts
		Decompress: func(suffix string, r io.Reader) (io.ReadCloser, error) { return codec.BySuffix(suffix).NewReader(r) },
	}
	r, err := f.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The sweep finds what no event came for, and what happened after the seal, in a real store and with the finalizer's
// own rights.
func TestTheSweepInEveryCloud(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		lost, waiting := s.uploaded(t, "lost"), s.backup("waiting")
		waiting.UploadArchives(t, s.host)
		waiting.UploadManifest(t, s.host)
		running := s.backup("running")
		running.UploadArchives(t, s.host)
		record, err := backupinfo.Render(backupinfo.Info{Status: backupinfo.Started, ServerName: "cloud"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bucket.CreateOrMatch(t.Context(), s.hostStaging, layout.BackupInfo("running", running.ID()), record, bucket.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if r := s.sweep(t); r.Servers != 3 || r.Sealed != 1 || r.Waiting != 1 || r.Abandoned != 0 || r.Audited != 1 || r.Tampered+r.Damaged != 0 || !r.Done {
			t.Errorf("%+v", r)
		}
		lost.isSealed(t)

		waiting.UploadWAL(t, s.host)
		lost.Create(t, s.host, lost.Key("data_9999.tar"), []byte("added"))
		lost.Create(t, s.host, lost.walKey(3, ".partial"), []byte("x"))
		time.Sleep(3 * time.Second) // stores count in seconds, and what was just looked at is looked at again no sooner
		if r := s.sweep(t); r.Sealed != 1 || r.Tampered != 1 || r.Damaged != 1 {
			t.Errorf("%+v", r)
		}
		waiting.isSealed(t)
		found, err := finalizer.ReadSweepRecord(t.Context(), s.staged, "lost", lost.ID())
		if err != nil {
			t.Fatal(err)
		}
		for code, kind := range map[string]finalizer.Finding{"extra": finalizer.Tampered, "wal-partial": finalizer.Damaged} {
			if !slices.ContainsFunc(found.Findings, func(r finalizer.Reason) bool { return r.Code == code && r.Finding == kind }) {
				t.Errorf("no finding %s, %s: %+v", code, kind, found.Findings)
			}
		}
		if v := lost.isSealed(t); len(v.Findings) > 0 {
			t.Errorf("the verdict was changed: %+v", v)
		}
	})
}
