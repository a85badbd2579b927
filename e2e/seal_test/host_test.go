package seal_test

import (
	"testing"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// What stands where the seal belongs, put there by somebody who may do anything: a conflict, and the finalizer adds
// nothing to it.
func TestSomethingStandsWhereTheSealBelongs(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		type foreign struct {
			name  string
			do    func(t *testing.T, b *backup)
			seals int // versions and delete markers
			words string
		}
		cases := map[string]foreign{
			"stock": {"a stock backup.info", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), []byte("backup_label=None\nstatus=DONE\nserver_name=cloud\n"))
			}, 1, "not written by pgseal"},
			"forged": {"one that names the manifest's digest and says something else", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), []byte("# pgseal seal_format=1\n# pgseal manifest_sha256="+manifestDigest(t, b)+"\nstatus=DONE\n"))
			}, 1, "not made from this set's manifest"},
			"empty": {"an empty one", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), nil)
			}, 1, "not written by pgseal"},
			"long": {"one that is longer than any", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), make([]byte, 2<<20))
			}, 1, ""},
		}
		if k.Versions {
			cases["two"] = foreign{"two versions", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), []byte("status=STARTED\n"))
				b.overwrite(t, b.Key("backup.info"), []byte("status=DONE\n"))
			}, 2, "not written by pgseal"}
			cases["hidden"] = foreign{"a delete marker over a foreign one", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("backup.info"), []byte("status=DONE\n"))
				b.hide(t, b.Key("backup.info"))
			}, 2, "a delete marker hides"}
		}
		for server, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.uploaded(t, server)
				c.do(t, b)
				e := b.mark(t)
				for _, w := range k.Ways {
					if err := s.wake(t, w, e); err != nil {
						t.Fatal(err)
					}
					v := b.isJudged(t, want{finalizer.Conflict, finalizer.ClassSeal, "other-seal", "/backup.info"})
					has(t, v.Reasons[0].Text, c.words)
				}
				if n := len(b.seals(t)); n != c.seals || b.granted() > 0 {
					t.Errorf("%d versions, %d written by the finalizer", n, b.granted())
				}
			})
		}
	})
}

// A delete marker with nothing below it lets the next conditional create pass, and would hide in a listing that there is
// one version only. Nothing is sealed until somebody has looked at it and taken it away.
func TestADeleteMarkerStandsWhereTheSealBelongs(t *testing.T) {
	clouds.EachVersioned(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, cloud.Config{}) // without locks, so that the version below can go
		b := s.uploaded(t, "main")
		b.overwrite(t, b.Key("backup.info"), nil)
		below := b.seals(t)[0].Version
		marker := b.hide(t, b.Key("backup.info"))
		b.removeVersion(t, s.VaultName(), b.Key("backup.info"), below)
		b.finalize(t)
		v := b.isJudged(t, want{finalizer.Conflict, finalizer.ClassSeal, "other-seal", "/backup.info"})
		has(t, v.Reasons[0].Text, "a delete marker stands there, and nothing below it")
		if b.granted() > 0 {
			t.Error("it was sealed over")
		}
		b.removeVersion(t, s.VaultName(), b.Key("backup.info"), marker)
		b.finalize(t)
		b.isSealed(t)
	})
}
