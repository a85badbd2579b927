package walrestore_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/walrestore"
)

func name(number uint64) string {
	return layout.Segment{Timeline: 1, Number: number}.Name(settest.Size)
}

func content(number uint64) []byte {
	return settest.New("main", time.Now()).Segment(layout.Segment{Timeline: 1, Number: number})
}

// spooled is a vault with segments 4 to 9 and 11, and a spool for three.
func spooled(t *testing.T) (v *vault, asked *atomic.Int64) {
	t.Helper()
	v = newVault(t)
	for _, n := range []uint64{4, 5, 6, 7, 8, 9, 11} {
		v.archive(t, layout.WAL("main", name(n), ".lz4"), pack(t, codec.LZ4, content(n)), told(content(n)))
	}
	asked = &atomic.Int64{}
	v.Request.Bucket = v.Hooked(func(context.Context, membucket.Call) membucket.Fault {
		asked.Add(1)
		return membucket.Fault{}
	}, false)
	v.Spool, v.Ahead = filepath.Join(t.TempDir(), "spool"), 3
	if err := os.Mkdir(v.Spool, 0o700); err != nil {
		t.Fatal(err)
	}
	return v, asked
}

// files are those of the spool, without the lock.
func (v *vault) files(t *testing.T) (list []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(v.Spool, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if filepath.Base(f) != "lock" {
			list = append(list, f)
		}
	}
	return list
}

func TestWhatFollowsIsFetchedAheadAndServedOnce(t *testing.T) {
	v, asked := spooled(t)
	for _, n := range []uint64{4, 5, 6, 7, 8, 9} {
		before := asked.Load()
		v.Name = name(n)
		v.want(t, nil, content(n))
		if fromStore := asked.Load() > before; fromStore != (n == 4 || n == 8) {
			t.Errorf("segment %d: the store was asked: %v", n, fromStore)
		}
	}
	if left := v.files(t); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	v.Name = name(10) // only the store says so
	before := asked.Load()
	v.want(t, walrestore.ErrNotThere, nil)
	if asked.Load() == before {
		t.Error("the store was not asked")
	}
}

// On Linux /dev/shm is a file system of its own, to which nothing can be moved from another.
func TestASpoolOnAnotherFileSystem(t *testing.T) {
	v, asked := spooled(t)
	dir, err := os.MkdirTemp("/dev/shm", "pgseal-spool")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	v.Spool = dir
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, v.Name = range []string{name(4), name(5)} {
		before := asked.Load()
		number := uint64(v.Name[len(v.Name)-1] - '0')
		v.want(t, nil, content(number))
		if fromStore := asked.Load() > before; fromStore != (number == 4) {
			t.Errorf("segment %d: the store was asked: %v", number, fromStore)
		}
	}
}

func TestTheSpoolIsOnlyBelievedIfItIsWhatTheStoreGave(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, v *vault, file string){
		"other bytes": func(t *testing.T, v *vault, file string) {
			write(t, file, append(content(5)[:5000], bytes.Repeat([]byte("x"), settest.Size-5000)...))
		},
		"cut short": func(t *testing.T, v *vault, file string) { write(t, file, content(5)[:8192]) },
		"another segment with its record": func(t *testing.T, v *vault, file string) {
			other := strings.Replace(file, name(5), name(6), 1)
			for _, ext := range []string{"", ".json"} {
				b, err := os.ReadFile(other + ext)
				if err != nil {
					t.Fatal(err)
				}
				write(t, file+ext, b)
			}
		},
		"no record": func(t *testing.T, v *vault, file string) { remove(t, file+".json") },
		"a record of another vault": func(t *testing.T, v *vault, file string) {
			b, err := os.ReadFile(file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			write(t, file+".json", bytes.Replace(b, []byte("s3://vault"), []byte("s3://other"), 1))
		},
		"a record of another cluster": func(t *testing.T, v *vault, file string) {
			b, err := os.ReadFile(file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			write(t, file+".json", bytes.Replace(b, []byte("7711113157438588137"), []byte("7711113157438588138"), 1))
		},
		"no segment": func(t *testing.T, v *vault, file string) { remove(t, file) },
		"a link in its place": func(t *testing.T, v *vault, file string) {
			remove(t, file)
			if err := os.Symlink("/etc/passwd", file); err != nil {
				t.Fatal(err)
			}
		},
		"somebody else restores from there now": func(t *testing.T, v *vault, file string) {
			other := v.Request
			other.Name, other.To = name(4), filepath.Join(t.TempDir(), "x")
			if err := walrestore.Restore(t.Context(), other); err != nil { // which fetches 5 again
				t.Fatal(err)
			}
			remove(t, file)
		},
	} {
		t.Run(what, func(t *testing.T) {
			v, asked := spooled(t)
			v.Name = name(4)
			v.want(t, nil, content(4))
			files := v.files(t)
			at := slices.IndexFunc(files, func(f string) bool { return strings.HasSuffix(f, name(5)) })
			if at < 0 {
				t.Fatalf("nothing was fetched ahead: %v", files)
			}
			spoil(t, v, files[at])
			before := asked.Load()
			v.Name = name(5)
			v.want(t, nil, content(5))
			if asked.Load() == before {
				t.Error("the store was not asked")
			}
		})
	}
}

func TestAStoreThatCannotFetchAheadHurtsNobody(t *testing.T) {
	v, _ := spooled(t)
	v.Request.Bucket = v.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Op == "read" && !strings.Contains(c.Key, name(4)) {
			return membucket.Fault{Skip: true, Err: membucket.ErrServer}
		}
		return membucket.Fault{}
	}, false)
	v.Name = name(4)
	v.want(t, nil, content(4))
	if !strings.Contains(v.said.String(), "cannot fetch ahead") {
		t.Error(v.said.String())
	}
}

func TestASpoolThatOthersMayWriteToIsRefused(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, v *vault){
		"everybody writes": func(t *testing.T, v *vault) {
			if err := os.Chmod(v.Spool, 0o777); err != nil {
				t.Fatal(err)
			}
		},
		"in the data directory": func(t *testing.T, v *vault) {
			write(t, filepath.Join(filepath.Dir(v.Spool), "PG_VERSION"), []byte("15"))
		},
		"it is not there": func(t *testing.T, v *vault) { remove(t, v.Spool) },
	} {
		v, _ := spooled(t)
		spoil(t, v)
		v.Name = name(4)
		if err := walrestore.Restore(t.Context(), v.Request); !errors.Is(err, walrestore.ErrSpool) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
