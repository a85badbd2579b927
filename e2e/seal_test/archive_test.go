package seal_test

import (
	"fmt"
	"testing"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// Every way in which the objects can differ from the manifest. Each is rejected, and the reason names the object.
func TestASetThatIsNotTheManifests(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		set := func(code, object string) want { return want{finalizer.Rejected, finalizer.ClassSet, code, object} }
		type difference struct {
			name string
			do   func(t *testing.T, b *backup) // after the archives, before the manifest
			want want
		}
		cases := map[string]difference{
			"missing": {"an archive is missing", func(t *testing.T, b *backup) {
				o := b.Manifest.Objects[0]
				o.Name = "data_0002.tar"
				b.Manifest.Objects = append(b.Manifest.Objects, o)
			}, set("missing", "/data_0002.tar")},
			"truncated": {"an archive was cut short", func(t *testing.T, b *backup) {
				o := b.createdWith(t, "data_0002.tar", []byte("half of it"))
				o.Size *= 2
				b.Manifest.Objects = append(b.Manifest.Objects, o)
			}, set("size", "/data_0002.tar")},
			"changed": {"an archive holds other bytes of the same length, and the list was made up to fit all else", func(t *testing.T, b *backup) {
				o := b.createdWith(t, "data_0002.tar", []byte("changed"))
				o.CRC32C = "01234567"
				b.Manifest.Objects = append(b.Manifest.Objects, o)
			}, set("checksum", "/data_0002.tar")},
			"swapped": {"two archives have each other's content", func(t *testing.T, b *backup) {
				x, y := b.createdWith(t, "data_0002.tar", []byte("one")), b.createdWith(t, "data_0003.tar", []byte("two"))
				x.Name, y.Name = y.Name, x.Name
				b.Manifest.Objects = append(b.Manifest.Objects, x, y)
			}, set("version|etag", "/data_0002.tar")},
			"exchanged": {"two archives have each other's content, and the list knows the versions", func(t *testing.T, b *backup) {
				x, y := b.createdWith(t, "data_0002.tar", []byte("one")), b.createdWith(t, "data_0003.tar", []byte("two"))
				x.CRC32C, y.CRC32C = y.CRC32C, x.CRC32C
				b.Manifest.Objects = append(b.Manifest.Objects, x, y)
			}, set("checksum", "/data_0002.tar")},
			"etag": {"an archive has another ETag", func(t *testing.T, b *backup) {
				b.Manifest.Objects[0].ETag = "00000000000000000000000000000000"
			}, set("etag", "/data.tar")},
			"added": {"an archive was added", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.Key("data_9999.tar"), []byte("x"))
			}, set("extra", "/data_9999.tar")},
			"tablespace": {"something was added to a tablespace", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.Key("16385_x.tar"), []byte("x"))
			}, set("extra", "/16385_x.tar")},
			"compressed": {"an archive is there compressed as well", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.Key("data.tar.gz"), []byte("x"))
			}, set("extra", "/data.tar.gz")},
			"nested": {"an object below an archive's name", func(t *testing.T, b *backup) {
				b.Create(t, s.host, b.Key("data.x/y"), []byte("x"))
			}, set("extra", "/data.x/y")},
			"overwritten": {"an archive was overwritten", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("data_0001.tar"), []byte("on top"))
			}, set("version|size", "/data_0001.tar")},
			"flood": {"the directory is full of other objects", func(t *testing.T, b *backup) {
				for n := range 120 {
					b.Create(t, s.host, b.Key(fmt.Sprint("junk/", n)), nil)
				}
			}, set("flood", "/base/")},
		}
		if k.Versions {
			cases["twice"] = difference{"an archive was written twice, and the list has the newest", func(t *testing.T, b *backup) {
				b.overwrite(t, b.Key("data.tar"), []byte("the first part"))
				obj, err := s.host.Stat(t.Context(), b.Key("data.tar"), "")
				if err != nil {
					t.Fatal(err)
				}
				for i := range b.Manifest.Objects {
					if b.Manifest.Objects[i].Name == "data.tar" {
						b.Manifest.Objects[i].Version = obj.Version
					}
				}
			}, set("versions", "/data.tar")}
			cases["hidden"] = difference{"a delete marker hides an archive", func(t *testing.T, b *backup) {
				b.hide(t, b.Key("16385.tar"))
			}, set("hidden", "/16385.tar")}
		}
		for server, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.backup(server)
				b.UploadArchives(t, s.host)
				c.do(t, b)
				b.UploadWAL(t, s.host)
				b.UploadManifest(t, s.host)
				if c.want.code == "flood" {
					c.want.object = b.Key("")
				}
				r := b.mark(t)
				for _, w := range []cloud.Way{s.direct(), s.queue()} { // a rejection is an answer, and stays
					if err := s.wake(t, w, r); err != nil {
						t.Fatal(err)
					}
					b.isNotSealed(t, c.want)
				}
			})
		}
	})
}

// What restores do not read may stand beside a set.
func TestStrangersThatNoRestoreReads(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		names := []string{"database", "16384.tar", "Manifest.json"}
		if k.Name == clouds.AWS.Name { // the others take no line breaks in names
			names = append(names, "notes\nand more")
		}
		for _, name := range names {
			b.Create(t, s.host, b.Key(name), []byte("x"))
		}
		b.overwrite(t, b.Key("annotations/keep"), []byte("full")) // which is not for the host to write
		b.finalize(t)
		if v := b.isSealed(t); len(v.Findings) > 0 {
			t.Errorf("%+v", v.Findings)
		}
	})
}

// Another backup's directory whose name begins alike is not listed with this one.
func TestBackupsAreApart(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		b.Create(t, s.host, b.server+"/base/"+b.ID()+"x/data.tar", []byte("x"))
		b.Create(t, s.host, b.server+"x/base/"+b.ID()+"/data_0009.tar", []byte("x"))
		b.finalize(t)
		b.isSealed(t)
	})
}
