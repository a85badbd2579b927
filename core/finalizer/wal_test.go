package finalizer_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

func TestMissingWALIsWaitedFor(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	p.set.UploadSegment(t, p.vault, 3)
	p.set.UploadManifest(t, p.vault)
	v := p.finalize(t)
	if v.State != finalizer.Waiting || v.WAL.Missing != 1 || v.Deadline == nil || !strings.Contains(v.Reasons[0].Text, "000000010000000000000004") {
		t.Fatalf("%+v", v)
	}
	p.f.Now = func() time.Time { return time.Now().Add(73 * time.Hour) }
	if v := p.finalize(t); v.State != finalizer.Rejected || v.Class != finalizer.ClassWAL {
		t.Fatalf("after the deadline: %+v", v)
	}
	p.set.UploadSegment(t, p.vault, 4)
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("the archiver came back: %+v", v)
	}
}

func TestAStopOnASegmentBoundaryNeedsNoFurtherSegment(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Manifest.End.LSN = 0x400000
	p.set.UploadArchives(t, p.vault)
	p.set.UploadSegment(t, p.vault, 3)
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed || v.WAL.Segments != 1 {
		t.Fatalf("%+v", v)
	}
	if info, _ := backupinfo.Parse(p.seal(t)); info.EndWAL() != "000000010000000000000004" {
		t.Errorf("end_wal is %s, and barman names the next segment", info.EndWAL())
	}
}

func TestATimelineNeedsItsHistory(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Manifest.Cluster.Timeline = 2
	p.set.Relabel()
	p.set.Upload(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Waiting || !strings.HasSuffix(v.Reasons[0].Object, "00000002.history") {
		t.Fatalf("%+v", v)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "1\t0/2F0000\tno recovery target specified\n")
	z.Close()
	p.set.Create(t, p.vault, "main/wals/00000002.history.gz", zipped.Bytes())
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestCompressedWALIsRead(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	for _, n := range []uint64{3, 4} {
		s := layout.Segment{Timeline: 1, Number: n}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(p.set.Segment(s))
		z.Close()
		p.set.Create(t, p.vault, layout.WAL("main", s.Name(settest.Size), ".gz"), b.Bytes())
	}
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestWALThatIsNotCheckedIsSaidToBe(t *testing.T) {
	p := newPlace(t, 0)
	p.f.Config.WALOff["main"] = true
	p.set.UploadArchives(t, p.vault)
	p.set.UploadManifest(t, p.vault)
	v := p.finalize(t)
	if info, err := backupinfo.Parse(p.seal(t)); v.State != finalizer.Sealed || v.WAL.Checked || err != nil || info.Comment("wal") != "not checked" {
		t.Fatalf("%+v %+v", v, info)
	}
	// the setting does not change what the seal is
	p.f.Config.WALOff["main"] = false
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

// WAL under a key that somebody else can destroy is no WAL that a seal can rest on.
func TestWALIsEncryptedAsTheVaultAllows(t *testing.T) {
	config, err := finalizer.ConfigFromEnv(func(name string) string {
		return map[string]string{finalizer.EnvEncryption: " default, kms:ours"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	for encryption, want := range map[string]finalizer.State{"kms:theirs": finalizer.Rejected, "kms:ours": finalizer.Sealed} {
		everywhere(t, func(t *testing.T, w *world) {
			w.f.Config.Encryption = config.Encryption
			s, key := w.uploaded("a"), layout.WAL("a", "000000010000000000000004", "")
			w.vault.Change(key, func(o *bucket.Object) { o.Encryption = encryption })
			v, err := w.f.Finalize(t.Context(), "a", s.ID())
			if err != nil || v.State != want || want == finalizer.Rejected && (v.Class != finalizer.ClassWAL || v.Reasons[0].Code != "encryption" || v.Reasons[0].Object != key) {
				t.Fatalf("%s: %+v, %v", encryption, v, err)
			}
		})
	}
}
