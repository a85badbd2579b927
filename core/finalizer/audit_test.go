package finalizer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

// onlyS3 are what only a store with versions lets happen.
var onlyS3 = []membucket.Personality{membucket.S3}

func TestAnAuditFindsWhatHappenedAfterTheSeal(t *testing.T) {
	for name, tc := range map[string]struct {
		in     []membucket.Personality
		do     func(w *world, s *settest.Set)
		code   string
		object string // the end of its key
		kind   finalizer.Finding
	}{
		"an archive was added": {do: func(w *world, s *settest.Set) {
			w.create(s.Key("data_9999.tar"), "x")
		}, code: "extra", object: "data_9999.tar", kind: finalizer.Tampered},
		"a second compression of a tablespace was added": {do: func(w *world, s *settest.Set) {
			w.create(s.Key("16385.tar.gz"), "x")
		}, code: "extra", object: "16385.tar.gz", kind: finalizer.Tampered},
		"an archive was written over": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.overwrite(s.Key("data.tar"), "another one")
		}, code: "versions", object: "data.tar", kind: finalizer.Tampered},
		"an archive was hidden": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.delete(s.Key("data_0001.tar"))
		}, code: "hidden", object: "data_0001.tar", kind: finalizer.Tampered},
		"an archive is gone": {do: func(w *world, s *settest.Set) {
			w.vault.Destroy(s.Key("data_0001.tar"))
		}, code: "missing", object: "data_0001.tar", kind: finalizer.Damaged},
		"an archive was replaced": {do: func(w *world, s *settest.Set) {
			w.vault.Destroy(s.Key("data.tar"))
			w.create(s.Key("data.tar"), "the First part")
		}, code: "*", object: "data.tar", kind: finalizer.Tampered},
		"an archive was moved to a slow class": {do: func(w *world, s *settest.Set) {
			w.vault.Change(s.Key("data.tar"), func(o *bucket.Object) { o.Class = "DEEP_ARCHIVE" })
		}, code: "class", object: "data.tar", kind: finalizer.Damaged},
		"an archive was encrypted with another key": {do: func(w *world, s *settest.Set) {
			w.f.Config.Encryption = []string{"default"}
			w.vault.Change(s.Key("data.tar"), func(o *bucket.Object) { o.Encryption = "aws:kms:theirs" })
		}, code: "encryption", object: "data.tar", kind: finalizer.Damaged},
		"an archive's lock is gone": {do: func(w *world, s *settest.Set) {
			w.vault.Change(s.Key("data.tar"), func(o *bucket.Object) { o.RetainUntil = time.Time{} })
		}, code: "unlocked", object: "data.tar", kind: finalizer.Damaged},
		"an archive's lock ends a day early": {do: func(w *world, s *settest.Set) {
			w.vault.Change(s.Key("16385.tar"), func(o *bucket.Object) { o.RetainUntil = o.RetainUntil.Add(-day) })
		}, code: "retention", object: "16385.tar", kind: finalizer.Damaged},
		"the seal was written over": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.overwrite(s.Key("backup.info"), "status=DONE\n")
		}, code: "shadowed", object: "backup.info", kind: finalizer.Tampered},
		"the seal was hidden": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.delete(s.Key("backup.info"))
		}, code: "shadowed", object: "backup.info", kind: finalizer.Tampered},
		"the manifest was written over": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.overwrite(s.Key("manifest.json"), "{}")
		}, code: "versions", object: "manifest.json", kind: finalizer.Tampered},
		"the manifest is gone": {do: func(w *world, s *settest.Set) {
			w.vault.Destroy(s.Key("manifest.json"))
		}, code: "missing", object: "manifest.json", kind: finalizer.Damaged},
		"a flood of objects": {do: func(w *world, s *settest.Set) {
			for n := range 200 {
				w.create(s.Key("junk/"+strings.Repeat("x", n+1)), "x")
			}
		}, code: "flood", object: "/", kind: finalizer.Tampered},
		"a needed segment is gone": {do: func(w *world, s *settest.Set) {
			w.vault.Destroy(segment(s, 1))
		}, code: "wal-missing", object: "0004", kind: finalizer.Damaged},
		"a needed segment was hidden": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.delete(segment(s, 0))
		}, code: "wal-missing", object: "0003", kind: finalizer.Damaged},
		"a needed segment was written over": {in: onlyS3, do: func(w *world, s *settest.Set) {
			w.overwrite(segment(s, 0), "x")
		}, code: "wal-versions", object: "0003", kind: finalizer.Damaged},
		"a .partial beside a needed segment": {do: func(w *world, s *settest.Set) {
			w.create(segment(s, 1)+".partial", "x")
		}, code: "wal-partial", object: "0004.partial", kind: finalizer.Damaged},
		"a compressed .partial beside a needed segment": {do: func(w *world, s *settest.Set) {
			w.create(segment(s, 1)+".partial.gz", "x")
		}, code: "wal-partial", object: "0004.partial", kind: finalizer.Damaged},
		"a needed segment in a second compression": {do: func(w *world, s *settest.Set) {
			w.create(segment(s, 1)+".gz", "x")
		}, code: "wal-double", object: "0004", kind: finalizer.Damaged},
		"a needed segment's lock is gone": {do: func(w *world, s *settest.Set) {
			w.vault.Change(segment(s, 1), func(o *bucket.Object) { o.RetainUntil = time.Time{} })
		}, code: "unlocked", object: "0004", kind: finalizer.Damaged},
		"a hole after the backup": {do: func(w *world, s *settest.Set) {
			s.UploadSegment(w.t, w.vault.Bucket(), 5)
			s.UploadSegment(w.t, w.vault.Bucket(), 7)
		}, code: "wal-hole", object: "0006", kind: finalizer.Damaged},
		"a segment far in the future": {do: func(w *world, s *settest.Set) {
			s.UploadSegment(w.t, w.vault.Bucket(), 1<<40)
		}, code: "wal-hole", object: "0005", kind: finalizer.Damaged},
		"a forged history file that forks inside the backup": {do: func(w *world, s *settest.Set) {
			w.create("main/wals/00000002.history", "1\t0/3A0000\tforged\n")
		}, code: "history-fork", object: "00000002.history", kind: finalizer.Damaged},
		"a forged history file that forks before the backup": {do: func(w *world, s *settest.Set) {
			w.create("main/wals/00000002.history", "1\t0/100000\tforged\n")
		}, code: "history-fork", object: "00000002.history", kind: finalizer.Damaged},
		"a forged history file that cuts off what follows": {do: func(w *world, s *settest.Set) {
			for n := uint64(5); n < 9; n++ {
				s.UploadSegment(w.t, w.vault.Bucket(), n)
			}
			w.create("main/wals/00000002.history", "1\t0/600000\tforged\n")
		}, code: "history-fork", object: "00000002.history", kind: finalizer.Damaged},
		"a history file that is none": {do: func(w *world, s *settest.Set) {
			w.create("main/wals/00000002.history", "x\n")
		}, code: "wal-content", object: "00000002.history", kind: finalizer.Damaged},
		"a history file in two forms": {do: func(w *world, s *settest.Set) {
			w.create("main/wals/00000002.history", "1\t0/500000\tx\n")
			w.create("main/wals/00000002.history.lz4", "x")
		}, code: "wal-double", object: "00000002.history", kind: finalizer.Damaged},
		"a flood in a WAL directory": {do: func(w *world, s *settest.Set) {
			for n := range 34000 { // in the order of the keys, to be quick
				w.create(layout.SegmentDir("main", "000000010000000000000003")+fmt.Sprintf("zz%06d", n), "x")
			}
		}, in: onlyS3, code: "flood", object: "0000000100000000/", kind: finalizer.Tampered},
	} {
		in := tc.in
		if in == nil {
			in = membucket.Personalities
		}
		for _, p := range in {
			t.Run(name+" on "+p.String(), func(t *testing.T) {
				w := newWorld(t, p)
				s := w.sealed("main")
				w.pass(time.Hour)
				if r := w.sweep(); r.Tampered+r.Damaged > 0 {
					t.Fatalf("findings on a healthy backup: %+v %s", w.swept("main", s.ID()), w.log.String())
				}
				tc.do(w, s)
				w.pass(time.Hour)
				r := w.sweep()
				found := w.swept("main", s.ID()).Findings
				if !slices.ContainsFunc(found, func(r finalizer.Reason) bool {
					return (r.Code == tc.code || tc.code == "*") && strings.HasSuffix(r.Object, tc.object) && r.Finding == tc.kind
				}) {
					t.Errorf("%+v, found %+v", r, found)
				}
				if w.state("main", s.ID()) != finalizer.Sealed {
					t.Errorf("the verdict is %s", w.state("main", s.ID()))
				}
				if !strings.Contains(w.log.String(), `"server":"main","backup_id":"`+s.ID()+`","finding":"`+string(tc.kind)+`"`) {
					t.Errorf("no log line: %s", w.log.String())
				}
			})
		}
	}
}

func (w *world) overwrite(key, body string) {
	w.t.Helper()
	if err := w.vault.Overwrite(key, []byte(body)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(key string) {
	w.t.Helper()
	if err := w.vault.Delete(key, ""); err != nil {
		w.t.Fatal(err)
	}
}

// segment is the key of the set's nth needed segment.
func segment(s *settest.Set, n uint64) string {
	first := s.Manifest.FirstSegment()
	first.Number += n
	return layout.WAL(s.Manifest.Server, first.Name(settest.Size), "")
}

func TestAPromotionAndAPointInTimeRecoveryAreNoFindings(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := w.sealed("main")
		for n := uint64(5); n < 8; n++ {
			s.UploadSegment(t, w.vault.Bucket(), n)
		}
		w.pass(time.Hour)
		// promoted in segment 8: the old timeline's end stays a .partial
		w.create("main/wals/00000002.history", "1\t0/880000\tno recovery target specified\n")
		w.create("main/wals/0000000100000000/000000010000000000000008.partial", "x")
		if r := w.sweep(); r.Tampered+r.Damaged > 0 {
			t.Fatalf("just promoted: %+v", w.swept("main", s.ID()))
		}
		s.Manifest.Cluster.Timeline = 2
		for n := uint64(8); n < 12; n++ {
			s.UploadSegment(t, w.vault.Bucket(), n)
		}
		// and again, exactly between two segments
		w.create("main/wals/00000003.history", "1\t0/880000\tx\n\n2\t0/C00000\tx\n")
		s.Manifest.Cluster.Timeline = 3
		s.UploadSegment(t, w.vault.Bucket(), 12)
		w.pass(time.Hour)
		if r := w.sweep(); r.Tampered+r.Damaged > 0 {
			t.Fatalf("promoted twice: %+v", w.swept("main", s.ID()))
		}
		w.vault.Destroy(layout.WAL("main", layout.Segment{Timeline: 2, Number: 10}.Name(settest.Size), ""))
		w.pass(time.Hour)
		w.sweep()
		if f := w.swept("main", s.ID()).Findings; len(f) != 1 || f[0].Code != "wal-hole" || !strings.HasSuffix(f[0].Object, "00000002000000000000000A") {
			t.Fatalf("a hole on the second timeline: %+v", f)
		}
	})
}

func TestAFindingThatIsNoMoreIsTakenBack(t *testing.T) {
	w := newWorld(t, membucket.S3)
	s := w.sealed("main")
	w.delete(s.Key("data.tar"))
	w.pass(time.Hour)
	w.sweep()
	if len(w.swept("main", s.ID()).Findings) == 0 {
		t.Fatal("no finding")
	}
	all := w.vault.Everything(s.Key("data.tar"))
	if err := w.vault.RemoveMarker(s.Key("data.tar"), all[len(all)-1].Version); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if w.sweep(); len(w.swept("main", s.ID()).Findings) > 0 {
		t.Errorf("%+v", w.swept("main", s.ID()))
	}
}

func TestWALThatWasNotCheckedIsNotAudited(t *testing.T) {
	w := newWorld(t, membucket.S3)
	w.f.Config.WALOffElse = true
	s := w.set("main")
	s.UploadArchives(t, w.vault.Bucket())
	s.UploadManifest(t, w.vault.Bucket())
	w.pass(time.Hour)
	if r := w.sweep(); r.Sealed != 1 || r.Audited != 1 || r.Damaged > 0 {
		t.Errorf("%+v %+v", r, w.swept("main", s.ID()))
	}
}
