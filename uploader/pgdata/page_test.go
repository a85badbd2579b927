package pgdata_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// TestEveryPageOfAServerIsSound: all relations of real clusters, read in pieces of odd lengths; and then one bit is wrong.
func TestEveryPageOfAServerIsSound(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			s := clusterWithEverything(t, major)
			s.SQL("CHECKPOINT")
			session, err := postgres.Connect(t.Context(), postgres.Options{DBName: s.DSN()})
			if err != nil {
				t.Fatal(err)
			}
			facts, err := session.Facts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := session.Close(); err != nil {
				t.Fatal(err)
			}
			if !facts.DataChecksums {
				t.Fatal("the cluster has no checksums")
			}
			s.Stop()
			pages := pgdata.Pages{Size: facts.PageSize, Segment: facts.PagesPerSegment, Start: 1 << 60}
			p := plan(t, facts.PlanOptions())
			verified, victim := 0, ""
			for _, a := range p.Archives {
				err := p.Walk(context.Background(), a, func(e pgdata.Entry) error {
					if e.Kind != pgdata.Regular {
						return nil
					}
					corrupt := readVerified(t, e, pages)
					if corrupt != 0 {
						t.Errorf("%s of %s: %d pages", e.Name, a.Base, corrupt)
					}
					if strings.HasPrefix(e.Name, "base/") && e.Size == 8*int64(facts.PageSize) {
						victim = e.Path
					}
					verified++
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if verified < 500 || victim == "" {
				t.Fatalf("%d files, victim %q", verified, victim)
			}
			e := pgdata.Entry{Path: victim, Name: "base/1/" + filepath.Base(victim)}
			flip(t, victim, 3*int64(facts.PageSize)+5000)
			if n := readVerified(t, e, pages); n != 1 {
				t.Errorf("%d corrupt pages, want 1", n)
			}
			since := pages
			since.Start = 1 // all of it was written since
			if n := readVerified(t, e, since); n != 0 {
				t.Errorf("%d corrupt pages that WAL writes anew", n)
			}
			flip(t, victim, 3*int64(facts.PageSize)+5000)
			flip(t, victim, 9) // the checksum of the first page
			if n := readVerified(t, e, pages); n != 1 {
				t.Errorf("%d corrupt pages, want 1", n)
			}
			e.Name = "pg_stat/" + filepath.Base(victim) // no relation
			if n := readVerified(t, e, pages); n != 0 {
				t.Errorf("%d corrupt pages in a file without pages", n)
			}
			next := pgdata.Entry{Path: victim, Name: "base/1/" + filepath.Base(victim) + ".1"} // another segment: other numbers
			if n := readVerified(t, next, pages); n < 2 {
				t.Errorf("%d corrupt pages in a segment at the wrong place", n)
			}
		})
	}
}

// readVerified reads a file in pieces of 5,000 bytes, and gives the number of corrupt pages.
func readVerified(t *testing.T, e pgdata.Entry, pages pgdata.Pages) int64 {
	t.Helper()
	f, err := pgdata.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Done()
	f.Verify(pages)
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	return f.Corrupt()
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}
