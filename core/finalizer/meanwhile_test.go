package finalizer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
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

// barman-cloud-backup-delete takes archives and backup.info away when their lock
// is over, and leaves the manifest. That is no complaint.
func TestADeletedBackupIsNotRejected(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := w.sealed("main")
		w.pass(time.Hour)
		w.sweep()
		w.pass(lock)
		for _, name := range []string{"data.tar", "data_0001.tar", "16385.tar", "backup.info"} {
			w.vault.Destroy(s.Key(name))
			w.pass(day)
			if r := w.sweep(); r.Rejected > 0 || w.state("main", s.ID()) != finalizer.Sealed {
				t.Fatalf("without %s: %+v, %s", name, r, w.state("main", s.ID()))
			}
		}
		if f := w.swept("main", s.ID()).Findings; len(f) > 0 {
			t.Errorf("%+v", f)
		}
		w.staging.Destroy(layout.Verdict("main", s.ID())) // staging forgets after some weeks
		w.pass(8 * day)
		if r := w.sweep(); r.Rejected > 0 || w.state("main", s.ID()) != "" {
			t.Errorf("%+v, %s", r, w.state("main", s.ID()))
		}
	})
}

func TestASealThatIsMadeASecondTimeIsAFinding(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := w.sealed("main")
		before := w.vault.Everything(s.Key("backup.info"))[0]
		w.vault.Destroy(s.Key("backup.info"))
		v, err := w.f.Finalize(t.Context(), "main", s.ID())
		if err != nil || v.State != finalizer.Sealed || len(v.Findings) != 1 || v.Findings[0].Code != "seal-gone" {
			t.Errorf("%+v %v", v, err)
		}
		if after := w.vault.Everything(s.Key("backup.info")); len(after) != 1 || string(after[0].Body) != string(before.Body) {
			t.Errorf("%+v", after)
		}
	})
}

// A seal that goes before its time does not unmake the verdict.
func TestASealThatIsGoneIsAFinding(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := w.sealed("main")
		w.vault.Destroy(s.Key("backup.info"))
		w.vault.Destroy(s.Key("data.tar"))
		w.pass(time.Hour)
		r := w.sweep()
		f := w.swept("main", s.ID()).Findings
		if r.Tampered != 1 || w.state("main", s.ID()) != finalizer.Sealed || len(f) == 0 || f[0].Code != "seal-gone" {
			t.Errorf("%+v, %s, %+v", r, w.state("main", s.ID()), f)
		}
		v, err := w.f.Finalize(t.Context(), "main", s.ID())
		if err != nil || v.State != finalizer.Sealed || v.Receipt == nil || len(v.Findings) == 0 {
			t.Errorf("%+v %v", v, err)
		}
	})
}

// Somebody with more rights than a host takes the seal away, and the manifest out of sight: what the vault still holds below,
// and the kept verdict, say that there was a seal.
func TestASealThatIsGoneIsAFindingWhateverBecameOfTheManifest(t *testing.T) {
	for name, hide := range map[string]func(w *world, key string) error{
		"under a delete marker": func(w *world, key string) error { return w.vault.Delete(key, "") },
		"below another":         func(w *world, key string) error { return w.vault.Overwrite(key, []byte("{}")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, membucket.S3)
			s := w.sealed("main")
			if err := hide(w, layout.Manifest("main", s.ID())); err != nil {
				t.Fatal(err)
			}
			w.vault.Destroy(layout.BackupInfo("main", s.ID()))
			w.pass(2 * time.Hour)
			w.sweep()
			findings := w.swept("main", s.ID()).Findings
			if len(findings) == 0 || findings[0].Code != "seal-gone" || w.state("main", s.ID()) != finalizer.Sealed {
				t.Errorf("%s: %+v", w.state("main", s.ID()), findings)
			}
		})
	}
}

// The seal was written, and the call died before its verdict; then somebody hid
// or wrote over both. The older versions say what was.
func TestASealBelowWhatHidesItStaysSealed(t *testing.T) {
	for name, do := range map[string]func(w *world, manifest, seal string){
		"both are hidden": func(w *world, manifest, seal string) { w.delete(manifest); w.delete(seal) },
		"the manifest is written over, the seal is hidden": func(w *world, manifest, seal string) { w.overwrite(manifest, "{}"); w.delete(seal) },
		"both are written over":                            func(w *world, manifest, seal string) { w.overwrite(manifest, "{}"); w.overwrite(seal, "x=1\n") },
		"the manifest is hidden, the seal written over":    func(w *world, manifest, seal string) { w.delete(manifest); w.overwrite(seal, "x=1\n") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, membucket.S3)
			s := w.sealed("main")
			w.staging.Destroy(layout.Verdict("main", s.ID()))
			do(w, s.Key("manifest.json"), s.Key("backup.info"))
			v, err := w.f.Finalize(t.Context(), "main", s.ID())
			if err != nil || v.State != finalizer.Sealed || len(v.Findings) == 0 || w.state("main", s.ID()) != finalizer.Sealed {
				t.Errorf("%+v %v", v, err)
			}
		})
	}
}
