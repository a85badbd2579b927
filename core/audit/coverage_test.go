package audit_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

func TestCoverageOfTheWAL(t *testing.T) {
	w := newWorld(t, membucket.S3)
	begin := w.now
	w.sealed() // segments 3 and 4
	w.now = w.now.Add(time.Hour)
	w.sealed() // 5 and 6
	w.now = w.now.Add(time.Hour)
	w.lsn += 0x200000 // 7 and 8 are not archived
	last := w.sealed()
	r := w.audit()
	if len(r.WAL) != 1 || r.WAL[0].Timeline != 1 || len(r.WAL[0].Stretches) != 2 || len(r.WAL[0].Holes) != 1 {
		t.Fatalf("%+v", r.WAL)
	}
	first, hole := r.WAL[0].Stretches[0], r.WAL[0].Holes[0]
	if first.First != "000000010000000000000003" || first.Last != "000000010000000000000006" || first.Segments != 4 || first.Backups != 0 ||
		!first.From.Equal(begin) || !first.To.Equal(begin.Add(time.Hour)) {
		t.Errorf("%+v", first)
	}
	if hole.First != "000000010000000000000007" || hole.Last != "000000010000000000000008" || hole.Segments != 2 || hole.Backups != 2 ||
		!hole.From.Equal(begin.Add(time.Hour)) || !hole.To.Equal(begin.Add(2*time.Hour)) {
		t.Errorf("%+v", hole)
	}
	if second := r.WAL[0].Stretches[1]; second.Last != last.Manifest.LastSegment().Name(1<<20) {
		t.Errorf("%+v", second)
	}
}

func TestNoBackupNoCoverage(t *testing.T) {
	w := newWorld(t, membucket.S3)
	w.create("main/wals/0000000100000000/000000010000000000000003", "x")
	if r := w.audit(); r.WAL != nil {
		t.Errorf("%+v", r.WAL)
	}
}
