package seal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// attempt is something that a host which has been taken over tries.
type attempt struct {
	name string
	do   func(ctx context.Context) error
}

// attempts are those that only one cloud's own client can make, on the seal of a backup.
var attempts = map[string]func(t testing.TB, b *backup) []attempt{}

// What a host that has been taken over tries with its own credentials, before the seal and after it. The store refuses
// each, by name, and nothing is changed.
func TestAHostCannotSealNorUnseal(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		seal := b.Key(layout.BackupInfoName)
		create := func(key string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.host.Create(ctx, key, strings.NewReader("status=DONE\n"), bucket.CreateOptions{SingleShot: true, PartSize: 100})
				return err
			}
		}
		overwrite := func(b bucket.Bucket, key, body string) func(context.Context) error {
			return func(ctx context.Context) error { _, err := b.Put(ctx, key, []byte(body)); return err }
		}
		tried := append([]attempt{
			{"create backup.info", create(seal)},
			{"overwrite backup.info", overwrite(s.host, seal, "status=DONE\n")},
			{"overwrite an archive", overwrite(s.host, b.Key("data.tar"), "x")},
			{"overwrite the manifest", overwrite(s.host, b.Key(layout.ManifestName), "x")},
			{"create another server's seal", create(layout.BackupInfo("other", b.ID()))},
			{"create a seal in parts", func(ctx context.Context) error {
				_, err := s.host.Create(ctx, seal, strings.NewReader(strings.Repeat("x", 6<<20)), bucket.CreateOptions{PartSize: 5 << 20})
				return err
			}},
			{"write the verdict", overwrite(s.hostStaging, layout.Verdict("main", b.ID()), `{"verdict":"sealed"}`)},
		}, attempts[k.Name](t, b)...)
		check := func(t *testing.T) {
			for _, a := range tried {
				if err := a.do(t.Context()); !refused(err) {
					t.Errorf("%s: %v", a.name, err)
				}
			}
		}
		check(t)
		b.isNotSealed(t, want{})
		b.finalize(t)
		first := b.isSealed(t)
		check(t)
		b.finalize(t)
		if v := b.isSealed(t); v.Receipt.Version != first.Receipt.Version || v.Receipt.ETag != first.Receipt.ETag || len(v.Findings) > 0 {
			t.Errorf("%+v", v)
		}
		b.loseVerdict(t)
		b.finalize(t)
		if v := b.isSealed(t); len(v.Findings) > 0 {
			t.Errorf("%+v", v.Findings)
		}
		if uploads, err := s.OpenUploads(t.Context()); err != nil || len(uploads) > 0 {
			t.Errorf("left behind: %q, %v", uploads, err)
		}
	})
}

// refused tells whether a store said no because of who asks, or because of what is there.
func refused(err error) bool {
	return errors.Is(err, bucket.ErrDenied) || bucket.Exists(err) || errors.Is(err, errRefused)
}

// errRefused is the same of a cloud's own client.
var errRefused = errors.New("refused")

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
