package seal_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// Whatever happens after the seal, the backup stays sealed with the same bytes and the same receipt. What is wrong by
// then shows when the verdict has to be made anew.
func TestWhatComesAfterTheSealChangesNothing(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		type change struct {
			name    string
			do      func(t *testing.T, b *backup)
			finding string // its code, or two with | between, when the verdict was lost; "" is none
		}
		cases := map[string]change{
			"nothing": {"nothing", func(*testing.T, *backup) {}, ""},
			"marker": {"the marker is written again with another content", func(t *testing.T, b *backup) {
				b.markWith(t, []byte(`{"server":"nothing","backup_id":"20260101T000000","manifest_sha256":"0"}`))
				b.markWith(t, bytes.Repeat([]byte("x"), 1<<20))
			}, ""},
			"added": {"the host adds an archive", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.Key("data_9999.tar"), []byte("added"))
			}, "extra"},
			"on-top": {"an archive is overwritten", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("data.tar"), []byte("on top"))
			}, "version|size"},
			"hidden": {"an archive is deleted", func(t *testing.T, b *backup) {
				b.hide(t, b.Key("data.tar"))
			}, "hidden|missing"},
			"wal": {"WAL gets a second form", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.walKey(4, ".gz"), []byte("x"))
			}, "wal-double"},
		}
		if k.Versions { // elsewhere the seal would then be another manifest's, were the lock not kept
			cases["shadow"] = change{"another manifest is written over the manifest", func(t *testing.T, b *backup) {
				other := b.Manifest
				other.Workers++
				b.overwrite(t, b.Key(layout.ManifestName), encoded(t, other))
			}, "versions"}
			cases["noise"] = change{"noise is written over the manifest", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key(layout.ManifestName), []byte("{}"))
			}, "versions"}
			cases["too-long"] = change{"more than is ever read is written over the manifest", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key(layout.ManifestName), make([]byte, manifest.MaxBytes+1))
			}, "versions"}
		}
		for server, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.uploaded(t, server)
				b.finalize(t)
				first, body := b.isSealed(t), b.sealBody(t)
				c.do(t, b)
				b.finalize(t)
				if v := b.isSealed(t); *v.Receipt.RetainUntil != *first.Receipt.RetainUntil || !v.At.Equal(first.At) || len(v.Findings) > 0 {
					t.Errorf("the verdict was written anew: %+v", v)
				}
				b.loseVerdict(t)
				b.finalize(t)
				v := b.isSealed(t)
				if !bytes.Equal(b.sealBody(t), body) || v.Receipt.Version != first.Receipt.Version || v.ManifestSHA256 != first.ManifestSHA256 {
					t.Errorf("another seal or receipt: %+v", v)
				}
				codes := map[string]bool{}
				for _, f := range v.Findings {
					codes[f.Code] = true
				}
				if c.finding == "" && len(codes) > 0 || c.finding != "" && !slices.ContainsFunc(strings.Split(c.finding, "|"), func(code string) bool { return codes[code] }) {
					t.Errorf("findings %+v, want %q", v.Findings, c.finding)
				}
			})
		}
	})
}

// loseVerdict lets staging forget, as its lifecycle rule does.
func (b *backup) loseVerdict(t testing.TB) {
	t.Helper()
	b.remove(t, b.s.StagingName(), layout.Verdict(b.server, b.ID()))
}

// The seal itself, hidden or shadowed by somebody who may do anything: it is found among the versions, and the finding
// is loud.
func TestTheSealIsHiddenOrShadowedAfterwards(t *testing.T) {
	clouds.EachVersioned(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for server, do := range map[string]func(b *backup){
			"hidden":   func(b *backup) { b.hide(t, b.Key(layout.BackupInfoName)) },
			"shadowed": func(b *backup) { b.overwrite(t, b.Key(layout.BackupInfoName), []byte("status=DONE\n")) },
			"emptied":  func(b *backup) { b.overwrite(t, b.Key(layout.BackupInfoName), nil) },
		} {
			b := s.uploaded(t, server)
			b.finalize(t)
			first := b.isSealed(t)
			do(b)
			b.loseVerdict(t)
			b.finalize(t)
			v := b.verdict(t)
			if v.State != finalizer.Sealed || v.Receipt.Version != first.Receipt.Version || len(v.Findings) != 1 || v.Findings[0].Code != "shadowed" {
				t.Errorf("%s: %+v", server, v)
			}
			if b.granted() != 1 || len(b.seals(t)) != 2 {
				t.Errorf("%s: %d seals granted, %+v", server, b.granted(), b.seals(t))
			}
		}
	})
}

// Without the right to read versions, a shadowed seal cannot be told from a forged one: that is an error of the
// finalizer's rights, and no verdict on the backup.
func TestVersionsThatMayNotBeReadAreNoConflict(t *testing.T) {
	clouds.EachVersioned(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		b.finalize(t)
		b.isSealed(t)
		b.overwrite(t, b.Key(layout.BackupInfoName), []byte("status=DONE\n"))
		b.loseVerdict(t)
		s.deny(t, cloud.ToReadVersions, b.Key(layout.BackupInfoName))
		s.fails(t, s.wake(t, s.direct(), b.mark(t)), "AccessError")
		if v := b.verdict(t); v.State != "" {
			t.Errorf("%+v", v)
		}
	})
}

// What the vault lost before the seal keeps the set from being sealed; after the seal it is a finding.
func TestAHiddenManifest(t *testing.T) {
	clouds.EachVersioned(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		marker := b.hide(t, b.Key(layout.ManifestName))
		b.finalize(t)
		b.isNotSealed(t, want{})
		b.removeVersion(t, s.VaultName(), b.Key(layout.ManifestName), marker)
		b.finalize(t)
		b.isSealed(t)
		b.hide(t, b.Key(layout.ManifestName))
		b.finalize(t)
		b.isSealed(t)
		b.loseVerdict(t)
		b.finalize(t)
		if v := b.isSealed(t); len(v.Findings) == 0 || v.Findings[0].Code != "hidden" {
			t.Errorf("%+v", v)
		}
	})
}
