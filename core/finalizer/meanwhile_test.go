package finalizer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

// One call saw that WAL was missing; before it says so, the WAL arrives and
// another call seals. The seal is the verdict, whoever writes last.
func TestASealThatComesMeanwhileIsTheVerdict(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := w.set("main")
		s.UploadArchives(t, w.vault.Bucket())
		s.UploadManifest(t, w.vault.Bucket())
		slow, happened := *w.f, false
		slow.Staging = w.staging.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
			if c.Op == "put" && strings.HasPrefix(c.Key, "_pgseal/verdict/") && !happened {
				happened = true
				s.UploadWAL(t, w.vault.Bucket())
				if v, err := w.f.Finalize(t.Context(), "main", s.ID()); err != nil || v.State != finalizer.Sealed {
					t.Errorf("%+v %v", v, err)
				}
			}
			return membucket.Fault{}
		}, false)
		v, err := slow.Finalize(t.Context(), "main", s.ID())
		if err != nil || v.State != finalizer.Sealed || w.state("main", s.ID()) != finalizer.Sealed {
			t.Errorf("%+v %v, and staging keeps %q", v, err, w.state("main", s.ID()))
		}
	})
}

// What only its writer can read is no manifest, and no fault of the finalizer's:
// it must not come again and again, nor end where nobody answers.
func TestAManifestUnderAKeyOfItsWritersIsRejected(t *testing.T) {
	w := newWorld(t, membucket.S3)
	s := w.uploaded("main")
	w.f.Vault = w.vault.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Op == "read" && c.Key == s.Key("manifest.json") {
			return membucket.Fault{Skip: true, Err: &bucket.Error{Kind: bucket.ErrInvalid, Code: "400 InvalidRequest"}}
		}
		return membucket.Fault{}
	}, false)
	v, err := w.f.Finalize(t.Context(), "main", s.ID())
	if err != nil || v.State != finalizer.Rejected || v.Class != finalizer.ClassManifest || !strings.Contains(v.Reasons[0].Text, "400 InvalidRequest") {
		t.Errorf("%+v %v", v, err)
	}
}

// A store without versions tells a replaced object by its ETag.
func TestAnotherETagIsAnotherObject(t *testing.T) {
	w := newWorld(t, membucket.Azure)
	s := w.uploaded("main")
	body := s.Archives["data.tar"]
	w.vault.Destroy(s.Key("data.tar"))
	w.create(s.Key("data.tar"), string(body))
	v, err := w.f.Finalize(t.Context(), "main", s.ID())
	if err != nil || v.State != finalizer.Rejected || v.Class != finalizer.ClassSet || v.Reasons[0].Code != "etag" {
		t.Errorf("%+v %v", v, err)
	}
}
