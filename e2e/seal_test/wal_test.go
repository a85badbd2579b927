package seal_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

const (
	third  = "000000010000000000000003"
	fourth = "000000010000000000000004"
)

// walKey is the key of a segment of the set.
func (b *backup) walKey(number uint64, suffix string) string {
	return layout.WAL(b.server, layout.Segment{Timeline: 1, Number: number}.Name(settest.Size), suffix)
}

func (b *backup) segment(number uint64) []byte {
	return b.Segment(layout.Segment{Timeline: 1, Number: number})
}

func TestAMarkerBeforeItsLastSegment(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		t.Run("waits, and is sealed when the segment has arrived and the event comes again", func(t *testing.T) {
			t.Parallel()
			s := begin(t, k, locked)
			b := s.backup("main")
			b.UploadArchives(t, s.host)
			b.UploadSegment(t, s.host, 3)
			b.UploadManifest(t, s.host)
			r := b.mark(t)
			for range 2 {
				if err := s.wake(t, s.queue(), r); err != nil {
					t.Fatal(err)
				}
				v := b.isNotSealed(t, want{finalizer.Waiting, finalizer.ClassWAL, "wal-missing", fourth})
				if v.WAL.Missing != 1 || v.WAL.Last != fourth || v.Deadline == nil || time.Until(*v.Deadline) < 71*time.Hour {
					t.Fatalf("%+v", v)
				}
			}
			b.UploadSegment(t, s.host, 4)
			if err := s.wake(t, s.queue(), r); err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
		t.Run("is rejected after the deadline, and still sealed when the segment arrives at last", func(t *testing.T) {
			t.Parallel()
			s := begin(t, k, locked, "PGSEAL_WAL_DEADLINE=1s")
			b := s.backup("main")
			b.UploadArchives(t, s.host)
			b.UploadSegment(t, s.host, 3)
			b.UploadManifest(t, s.host)
			r := b.mark(t)
			for b.verdict(t).State != finalizer.Rejected {
				if err := s.wake(t, s.Ways[1%len(s.Ways)], r); err != nil {
					t.Fatal(err)
				}
				if b.verdict(t).State == finalizer.Waiting {
					time.Sleep(100 * time.Millisecond)
				}
			}
			b.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassWAL, "wal-missing", fourth})
			b.UploadSegment(t, s.host, 4)
			if err := s.wake(t, s.Ways[1%len(s.Ways)], r); err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
	})
}

// What may stand in the archive, and how a set with it ends.
func TestWALIsHeldAgainstTheSet(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked, "PGSEAL_WAL_CHECK=require,unchecked=off")
		waiting := want{finalizer.Waiting, finalizer.ClassWAL, "wal-missing", fourth}
		wrong := func(code, object string) want { return want{finalizer.Rejected, finalizer.ClassWAL, code, object} }
		for server, c := range map[string]struct {
			name string
			wal  func(t *testing.T, b *backup)
			want want // zero: sealed
		}{
			"boundary": {"the end exactly on a boundary needs no further segment", func(t *testing.T, b *backup) {
				b.Manifest.End.LSN = 0x400000
				b.UploadSegment(t, s.host, 3)
			}, want{}},
			"beyond": {"one byte beyond the boundary needs it", func(t *testing.T, b *backup) {
				b.Manifest.End.LSN = 0x400001
				b.UploadSegment(t, s.host, 3)
			}, waiting},
			"unchecked": {"none at all, for a server whose WAL is not looked for", func(*testing.T, *backup) {}, want{}},
			"none":      {"none at all", func(*testing.T, *backup) {}, want{finalizer.Waiting, finalizer.ClassWAL, "wal-missing", third}},
			"foreign": {"WAL of another cluster", func(t *testing.T, b *backup) {
				b.Manifest.Cluster.SystemID++
				b.UploadWAL(t, s.host)
				b.Manifest.Cluster.SystemID--
			}, wrong("wal-content", third)},
			"empty": {"an empty object", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ""), nil)
			}, wrong("wal-size", fourth)},
			"cut": {"a segment that is cut short", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ""), b.segment(4)[:settest.Size-1])
			}, wrong("wal-size", fourth)},
			"address": {"the segment before under its name", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ""), b.segment(3))
			}, wrong("wal-content", fourth)},
			"version": {"pages of another major version", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				page := b.segment(4)
				binary.LittleEndian.PutUint16(page, 0xD116)
				b.Create(t, s.host, b.walKey(4, ""), page)
			}, wrong("wal-content", fourth)},
			"zeros": {"a segment of zeros", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ""), make([]byte, settest.Size))
			}, wrong("wal-content", fourth)},
			"double": {"a segment plain and compressed", func(t *testing.T, b *backup) {
				b.UploadWAL(t, s.host)
				b.Create(t, s.host, b.walKey(4, ".gz"), packed(t, codec.Gzip, b.segment(4)))
			}, wrong("wal-double", fourth)},
			"noise": {"a compressed segment that is none", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ".zst"), []byte("no zstd at all"))
			}, wrong("wal-content", fourth+".zst")},
			"hollow": {"a compressed segment with nothing inside", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, ".lz4"), packed(t, codec.LZ4, nil))
			}, wrong("wal-content", fourth+".lz4")},
			"partial": {"a .partial does not stand for its segment", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.Create(t, s.host, b.walKey(4, "")+".partial", b.segment(4))
			}, waiting},
			"later": {"a later segment does not stand for one that is missing", func(t *testing.T, b *backup) {
				b.UploadSegment(t, s.host, 3)
				b.UploadSegment(t, s.host, 5)
			}, waiting},
			"history": {"no history of the timeline", func(t *testing.T, b *backup) {
				b.Manifest.Cluster.Timeline = 2
				b.Relabel()
				b.UploadWAL(t, s.host)
			}, want{finalizer.Waiting, finalizer.ClassWAL, "wal-missing", "00000002.history"}},
			"past": {"a history by which the timeline begins after the backup", func(t *testing.T, b *backup) {
				b.Manifest.Cluster.Timeline = 2
				b.Relabel()
				b.UploadWAL(t, s.host)
				b.Create(t, s.host, layout.WAL(b.server, "00000002.history", ""), []byte("1\t0/400000\tno reason\n"))
			}, wrong("wal-content", "00000002.history")},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.backup(server)
				c.wal(t, b)
				b.UploadArchives(t, s.host)
				b.UploadManifest(t, s.host)
				b.finalize(t)
				if c.want != (want{}) {
					b.isNotSealed(t, c.want)
					return
				}
				if v := b.isSealed(t); v.WAL.Checked == (server == "unchecked") {
					t.Errorf("%+v", v.WAL)
				}
			})
		}
	})
}

func TestCompressedWALIsReadInEveryFormat(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for _, c := range codec.All() {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				b := s.backup(c.Name)
				b.UploadArchives(t, s.host)
				for _, n := range []uint64{3, 4} {
					b.Create(t, s.host, b.walKey(n, c.Suffix), packed(t, c, b.segment(n)))
				}
				b.UploadManifest(t, s.host)
				b.finalize(t)
				b.isSealed(t)
			})
		}
	})
}

func packed(t testing.TB, c codec.Codec, body []byte) []byte {
	t.Helper()
	return packedAt(t, c, codec.Default, body)
}

func packedAt(t testing.TB, c codec.Codec, level codec.Level, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A segment that is lost while it is read is the store's failure, not the archive's.
func TestABrokenReadOfWALIsNoVerdict(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.uploaded(t, "main")
		r := b.mark(t)
		s.Faulty().Add(cloud.Fault{Identity: cloud.Finalizer, Op: cloud.Read, Key: "*/" + third, Action: cloud.LoseResponse})
		s.fails(t, s.wake(t, s.direct(), r), "TransientError", third)
		s.Faulty().Clear()
		b.isNotSealed(t, want{})
		if err := s.wake(t, s.direct(), r); err != nil {
			t.Fatal(err)
		}
		b.isSealed(t)
	})
}
