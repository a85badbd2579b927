package walarchive_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// callers archive at the same time, as no PostgreSQL does and a restarted archiver beside its predecessor may.
const callers = 8

var onAWS = flag.Int("segments", 400, "how many segments TestUnderLoad archives on AWS")

// Thousands of segments, a fifth of them given to two callers, at once or soon after, and of one create in twenty the
// answer is lost after the store has done it: none is lost, none stands there twice, no call fails or hangs, and every
// content is right. `make load` gives one cloud five thousand.
func TestUnderLoad(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		segments := 200
		if k.Name == clouds.AWS.Name {
			segments = *onAWS
		}
		a := start(t, k, cloud.Config{})
		dir, luck := pgtest.Dir(t), rand.New(rand.NewPCG(5, 20))
		lost := a.Faulty().Add(cloud.Fault{Op: cloud.Create, Identity: cloud.Host, Action: cloud.LoseResponse, Luck: func() bool { return luck.IntN(20) == 0 }})
		jobs := schedule(rand.New(rand.NewPCG(8, uint64(segments))), segments)
		for n := range segments {
			writeSegment(t, dir, nth(n))
		}
		program, failed, repeated := build.Pgseal(t), atomic.Int64{}, atomic.Int64{}
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for number := range jobs {
					cmd := a.command(t, cloud.Host, program, "wal-archive", "--lz4", a.VaultURL(), server, filepath.Join(dir, numbered(number)))
					cmd.Env = append(cmd.Env, "GOMAXPROCS=1", "GOGC=off") // there are thousands of them, on few processors
					out, err := cmd.CombinedOutput()
					if err != nil && failed.Add(1) < 10 {
						t.Errorf("%s: %v\n%s", numbered(number), err, out)
					}
					if bytes.Contains(out, []byte("already archived")) {
						repeated.Add(1)
					}
				}
			})
		}
		all.Wait()
		a.Faulty().Clear()
		t.Logf("%d segments, %d answers lost, %d calls found theirs archived already", segments, lost(), repeated.Load())
		if lost() < segments/40 || int(repeated.Load()) < segments/6 {
			t.Error("that was no load")
		}
		checkArchive(t, a, segments)
		wantNoUploads(t, a)
	})
}

// schedule gives every segment once, and a fifth of them again within the next calls.
func schedule(luck *rand.Rand, segments int) <-chan uint64 {
	later := map[int][]uint64{}
	jobs := make(chan uint64)
	go func() {
		defer close(jobs)
		for n := 0; n < segments || len(later) > 0; n++ {
			if n < segments {
				jobs <- nth(n)
				if luck.IntN(5) == 0 {
					at := n + luck.IntN(callers)
					later[at] = append(later[at], nth(n))
				}
			}
			for _, again := range later[n] {
				jobs <- again
			}
			delete(later, n)
		}
	}()
	return jobs
}

// nth is the number of a segment: 64 of each log, since the local S3 reads a whole directory for each listing.
func nth(n int) uint64 { return uint64(n/64)*(1<<32/mib) + uint64(n%64) + 1 }

func numbered(number uint64) string { return layout.Segment{Timeline: 1, Number: number}.Name(mib) }

// head is how a segment begins that differs from any other; zeros follow.
func head(number uint64) []byte {
	b := segment(mib, byte(number))[:8192]
	binary.LittleEndian.PutUint64(b[8:], number*mib)
	binary.LittleEndian.PutUint64(b[4096:], number)
	return b
}

// writeSegment makes a file that takes a few blocks on disk.
func writeSegment(t *testing.T, dir string, number uint64) {
	t.Helper()
	file := filepath.Join(dir, numbered(number))
	if err := os.WriteFile(file, head(number), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, mib); err != nil {
		t.Fatal(err)
	}
}

// checkArchive looks at every version of everything, as somebody who may.
func checkArchive(t *testing.T, a *store, segments int) {
	t.Helper()
	keys := make(chan string)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for key := range keys {
				if err := checkSegment(t, a, key); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for o, err := range a.vault.ListVersions(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		name, _ := layout.SplitWAL(path.Base(o.Key))
		if seen[name] || o.DeleteMarker {
			t.Errorf("%s is there twice", o.Key)
		}
		seen[name] = true
		keys <- o.Key
	}
	close(keys)
	readers.Wait()
	for n := range segments {
		if !seen[numbered(nth(n))] {
			t.Errorf("%s is lost", numbered(nth(n)))
		}
	}
	if len(seen) != segments {
		t.Errorf("%d segments are there", len(seen))
	}
}

func checkSegment(t *testing.T, a *store, key string) error {
	body, _, err := a.vault.Open(t.Context(), key, "", 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	name, suffix := layout.SplitWAL(path.Base(key))
	r, err := codec.Decompress(suffix, body)
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s, err := layout.ParseSegment(name, mib)
	if err != nil {
		return err
	}
	want := head(s.Number)
	if len(content) != mib || !bytes.HasPrefix(content, want) || len(bytes.TrimRight(content[len(want):], "\x00")) > 0 {
		return fmt.Errorf("other content")
	}
	return nil
}
