package finalizer_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

func TestASealStaysSealed(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	first := p.finalize(t)
	body := p.seal(t)
	p.set.Create(t, p.vault, p.set.Key("data_9999.tar"), []byte("added later"))
	if v := p.finalize(t); v.State != finalizer.Sealed || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
	// the verdict was lost: it is made again, with what is wrong by now
	if _, err := p.staging.Put(context.Background(), layout.Verdict("main", p.set.ID()), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	v := p.finalize(t)
	if v.State != finalizer.Sealed || len(v.Findings) != 1 || v.Findings[0].Code != "extra" || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
	if !bytes.Equal(body, p.seal(t)) {
		t.Error("the seal changed")
	}
}

// An alarm for seals that stay away must not be silenced by finalizing an old
// backup again.
func TestTheLogTellsASealOfLongAgo(t *testing.T) {
	w := newWorld(t, membucket.S3)
	w.f.Now = w.clock
	set := w.sealed("main")
	for _, want := range []string{`"verdict":"sealed","seal_age_s":0}`, `"verdict":"sealed","seal_age_s":172800}`} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("no %s in\n%s", want, w.log.String())
		}
		w.log.Reset()
		w.pass(48 * time.Hour)
		if v, err := w.f.Finalize(t.Context(), "main", set.ID()); err != nil || v.State != finalizer.Sealed {
			t.Fatalf("%+v, %v", v, err)
		}
	}
}

// Two manifests can give the same fields and list other archives: what tells
// their seals apart is the digest alone.
func TestASealWithTheSameFieldsOfAnotherManifestIsAConflict(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	other := p.set.Manifest
	other.Objects = slices.Clone(other.Objects)
	other.Objects[0].CRC32C = "00000000"
	body, err := finalizer.Render(other, digest(t, other), true)
	if err != nil {
		t.Fatal(err)
	}
	p.set.Create(t, p.vault, p.set.Key("backup.info"), body)
	if v := p.finalize(t); v.State != finalizer.Conflict || v.Class != finalizer.ClassSeal {
		t.Fatalf("%+v", v)
	}
}

func TestAnotherBackupInfoIsAConflict(t *testing.T) {
	for name, body := range map[string]string{
		"of stock barman":      "status=DONE\nserver_name=cloud\n",
		"of another manifest":  "# pgseal seal_format=1\n# pgseal manifest_sha256=" + strings.Repeat("0", 64) + "\nstatus=DONE\n",
		"that is no text":      "\xff\xfe",
		"of endless length":    strings.Repeat("#", backupinfo.MaxBytes+1),
		"that is empty":        "",
		"forged, right digest": "right digest",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, 0)
			p.set.UploadArchives(t, p.vault)
			p.set.UploadWAL(t, p.vault)
			p.set.UploadManifest(t, p.vault)
			if body == "right digest" {
				body = "# pgseal manifest_sha256=" + digest(t, p.set.Manifest) + "\nstatus=DONE\n"
			}
			p.set.Create(t, p.vault, p.set.Key("backup.info"), []byte(body))
			if v := p.finalize(t); v.State != finalizer.Conflict || v.Class != finalizer.ClassSeal {
				t.Fatalf("%+v", v)
			}
		})
	}
}

// A manifest that is written over after the seal changes nothing, however long
// the new one is.
func TestAManifestTooLongAfterTheSealStaysSealed(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	first := p.finalize(t)
	w := &shadowed{Bucket: p.vault, key: p.set.Key("manifest.json"), original: p.manifest(t)}
	p.f.Vault = w
	v := p.finalize(t)
	if v.State != finalizer.Sealed || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
}

// shadowed is a vault in which a version of one key, too long to be read, stands
// on top of the real one.
type shadowed struct {
	bucket.Bucket
	key      string
	original bucket.Object
}

const realVersion = "real"

func (s *shadowed) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if key == s.key && version == "" {
		return io.NopCloser(strings.NewReader(" ")), bucket.Object{Key: key, Version: "top", Size: 1 << 40}, nil
	}
	if version == realVersion {
		version = ""
	}
	return s.Bucket.Open(ctx, key, version, offset, length)
}

func (s *shadowed) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	if prefix != s.key {
		return s.Bucket.ListVersions(ctx, prefix)
	}
	real := s.original
	real.Version, real.Latest = realVersion, false
	return func(yield func(bucket.Object, error) bool) {
		_ = yield(bucket.Object{Key: s.key, Version: "top", Size: 1 << 40, Latest: true}, nil) && yield(real, nil)
	}
}

func (p *place) manifest(t *testing.T) bucket.Object {
	t.Helper()
	obj, err := p.vault.Stat(context.Background(), p.set.Key("manifest.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	return obj
}
