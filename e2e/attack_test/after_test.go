package attack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func addedAfterTheSeal(t *testing.T, s *scene) {
	set := s.sealed(t, "added-after")
	s.create(t, set.Key("data_9999.tar"), []byte("added"))
	s.isFound(t, "added-after", set.ID(), "extra")
}

// segment is the key of a set's segment by its number.
func segment(set *settest.Set, number uint64, suffix string) string {
	return layout.WAL(set.Manifest.Server, layout.Segment{Timeline: 1, Number: number}.Name(settest.Size), suffix)
}

// Sets begin in segment 3 and end in segment 4.
func secondForms(t *testing.T, s *scene) {
	before := settest.New("double-before", time.Now())
	s.create(t, segment(before, 4, ".gz"), []byte("x")) // before the true one comes, and besides it
	before.Upload(t, s.vault)
	s.isRejected(t, "double-before", before.ID(), finalizer.ClassWAL, "wal-double")

	after := s.sealed(t, "double-after")
	s.create(t, segment(after, 3, ".gz"), []byte("x"))
	s.create(t, segment(after, 4, "")+".partial", []byte("x"))
	s.isFound(t, "double-after", after.ID(), "wal-double", "wal-partial")
}

func forgedHistory(t *testing.T, s *scene) {
	inside := s.sealed(t, "history")
	s.create(t, layout.WAL("history", "00000002.history", ""), []byte("1\t0/380000\tno recovery target specified\n"))
	s.isFound(t, "history", inside.ID(), "history-fork")

	early := s.sealed(t, "history-early") // by which the timeline was left before the backup began
	s.create(t, layout.WAL("history-early", "00000002.history", ""), []byte("1\t0/200000\tno recovery target specified\n"))
	s.isFound(t, "history-early", early.ID(), "history-fork")
}

// A segment far ahead leaves a hole. The next one does not, and the archiver meets it: it fails, loudly and until
// somebody looks, and PostgreSQL keeps the true one.
func futureSegments(t *testing.T, s *scene) {
	ahead := s.sealed(t, "future-far")
	s.create(t, segment(ahead, 9, ""), ahead.Segment(layout.Segment{Timeline: 1, Number: 9}))
	s.isFound(t, "future-far", ahead.ID(), "wal-hole")

	next := s.sealed(t, "future-next")
	s.create(t, segment(next, 5, ".gz"), []byte("no gzip"))
	file := filepath.Join(pgtest.Dir(t), layout.Segment{Timeline: 1, Number: 5}.Name(settest.Size))
	if err := os.WriteFile(file, next.Segment(layout.Segment{Timeline: 1, Number: 5}), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if code, _, out := s.pgseal(t, cloud.Host, "wal-archive", s.VaultURL(), "future-next", file); code != 1 || !strings.Contains(out, "holds other content") || !strings.Contains(out, "HINT: ") {
			t.Errorf("exit code %d\n%s", code, out)
		}
	}
}
