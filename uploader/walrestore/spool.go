package walrestore

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// Bounds of what is fetched ahead, while PostgreSQL waits for the segment it has asked for.
const (
	MaxAhead  = 64
	fillLimit = 30 * time.Second
	maxRecord = 16 << 10
	// maxInDir bounds the listing of one directory: 4,096 segments of 1 MiB, and what stands beside them.
	maxInDir = 20_000
)

// spool holds segments that were fetched ahead, each with the record of where it came from. It answers with nothing but a
// segment whose bytes are those of its record, and never that one is not there: whoever finds nothing asks the store.
// A nil spool holds nothing.
type spool struct {
	dir  string // of this vault and server
	lock *os.File
}

// record is made after the store gave the whole segment, and it was found to be what its name and its digest say.
type record struct {
	Vault    string `json:"vault"`
	Key      string `json:"key"`
	Version  string `json:"version,omitempty"`
	SHA256   string `json:"sha256"`
	SystemID uint64 `json:"system_id,string"`
}

// openSpool is nil when there is none, and when another process uses it: that one may be a server beside this one.
func (r Request) openSpool() (*spool, error) {
	if r.Spool == "" || r.Ahead == 0 || layout.KindOfWAL(r.Name) != layout.WALSegment {
		return nil, nil
	}
	if err := r.checkSpool(); err != nil {
		return nil, err
	}
	place := sha256.Sum256([]byte(r.Bucket.URL() + "\n" + r.Server))
	s := &spool{dir: filepath.Join(r.Spool, fmt.Sprintf("%x", place[:8]))}
	if err := os.Mkdir(s.dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w %s: %w", ErrSpool, r.Spool, err)
	}
	var err error
	if s.lock, err = os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrSpool, r.Spool, err)
	}
	if !alone(s.lock) {
		s.close()
		return nil, nil
	}
	return s, nil
}

// alone tells whether nobody else holds the lock, and takes it.
func alone(lock *os.File) bool {
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// checkSpool: nobody else may write there, and it is not a part of the data directory, which is copied, restored and
// rewound.
func (r Request) checkSpool() error {
	info, err := os.Stat(r.Spool)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSpool, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w %s: it must be a directory of this user, which nobody else may write to", ErrSpool, r.Spool)
	}
	dir, err := filepath.Abs(r.Spool)
	if err != nil {
		return err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, "PG_VERSION")); err == nil {
			return fmt.Errorf("%w %s: it is inside of the data directory %s", ErrSpool, r.Spool, dir)
		}
	}
	return nil
}

func (s *spool) close() {
	if s != nil {
		_ = s.lock.Close()
	}
}

func (s *spool) path(name string) string { return filepath.Join(s.dir, name) }

// take moves the segment out of the spool, if it is there and is what its record says. Whatever is wrong with it, the
// store is asked instead.
func (s *spool) take(r Request) bool {
	if s == nil {
		return false
	}
	err := s.serve(r)
	s.drop(r.Name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.Log.Warn("what was fetched ahead is not used", "name", r.Name, "error", err)
	}
	return err == nil
}

func (s *spool) serve(r Request) error {
	body, err := os.ReadFile(s.path(r.Name + ".json"))
	if err != nil {
		return err
	}
	var rec record
	if len(body) > maxRecord {
		return errors.New("its record is too long")
	}
	if err := json.Unmarshal(body, &rec); err != nil {
		return err
	}
	name, _ := layout.SplitWAL(path.Base(rec.Key))
	if rec.Vault != r.Bucket.URL() || name != r.Name || rec.Key != layout.WAL(r.Server, r.Name, strings.TrimPrefix(path.Base(rec.Key), name)) {
		return fmt.Errorf("its record is of %s/%s", rec.Vault, rec.Key)
	}
	in, err := os.OpenFile(s.path(r.Name), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	var seen file
	if err := seen.read(in, io.Discard); err != nil {
		return err
	}
	if err := seen.check(r.Name, rec.SHA256); err != nil {
		return err
	}
	h, err := walfile.ParseHeader(seen.first)
	if err == nil && h.SystemID != rec.SystemID {
		err = fmt.Errorf("it is of cluster %d, and its record of %d", h.SystemID, rec.SystemID)
	}
	if err == nil {
		err = in.Sync()
	}
	if err != nil {
		return err
	}
	if err := durableRename(s.path(r.Name), r.To); !errors.Is(err, syscall.EXDEV) {
		return err
	}
	return s.copyOut(in, r, rec)
}

// copyOut is for a spool on another file system.
func (s *spool) copyOut(in *os.File, r Request, rec record) error {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	out, err := newFile(r.To)
	if err != nil {
		return err
	}
	defer out.discard()
	if err := out.copy(in); err != nil {
		return err
	}
	if err := out.check(r.Name, rec.SHA256); err != nil {
		return err
	}
	return out.place(r.To, true)
}

// drop forgets a segment, the record first.
func (s *spool) drop(name string) {
	_ = os.Remove(s.path(name + ".json"))
	_ = os.Remove(s.path(name))
}

// fill begins to fetch what follows the segment at key, and forgets what is left of earlier rounds. stop waits for it; an
// error ends it at once. That it fails hurts nobody.
func (s *spool) fill(ctx context.Context, r Request, key string) (stop func(error)) {
	if s == nil {
		return func(error) {}
	}
	ctx, cancel := context.WithTimeout(ctx, fillLimit)
	done := make(chan error, 1)
	go func() { done <- s.fetchAhead(ctx, r, path.Dir(key)+"/") }()
	return func(err error) {
		if err != nil {
			cancel()
		}
		if ahead := <-done; ahead != nil && err == nil {
			r.Log.Warn("cannot fetch ahead", "after", r.Name, "error", ahead)
		}
		cancel()
	}
}

func (s *spool) fetchAhead(ctx context.Context, r Request, dir string) error {
	left, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if e.Name() != filepath.Base(s.lock.Name()) {
			if err := os.Remove(s.path(e.Name())); err != nil {
				return err
			}
		}
	}
	list, err := s.following(ctx, r, dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for name, obj := range list {
		group.Go(func() {
			if err := s.fetchOne(ctx, r, name, obj); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (s *spool) fetchOne(ctx context.Context, r Request, name string, obj bucket.Object) error {
	rec, err := r.fetch(ctx, obj, s.path(name), false)
	if err != nil {
		return err
	}
	body, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	tmp := s.path(name + ".new")
	if err := os.WriteFile(tmp, body, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, s.path(name+".json"))
}

// following are the segments that come after the one asked for, in the same directory of the archive and without a hole.
// Of one that is there in several forms nothing is fetched ahead: to choose is find's work.
func (s *spool) following(ctx context.Context, r Request, dir string) (map[string]bucket.Object, error) {
	found, n := map[string][]bucket.Object{}, 0
	for obj, err := range r.Bucket.List(ctx, dir) {
		if err != nil {
			return nil, err
		}
		if n++; n > maxInDir {
			return nil, fmt.Errorf("more than %d objects are in %s", maxInDir, dir)
		}
		if name, _ := layout.SplitWAL(path.Base(obj.Key)); name > r.Name && layout.KindOfWAL(name) == layout.WALSegment {
			found[name] = append(found[name], obj)
		}
	}
	list := map[string]bucket.Object{}
	for name := next(r.Name); len(list) < min(r.Ahead, MaxAhead) && len(found[name]) == 1; name = next(name) {
		list[name] = found[name][0]
	}
	return list, nil
}

// next is the name that follows within the same log: segments are counted in the last eight digits.
func next(name string) string {
	var n uint32
	if _, err := fmt.Sscanf(name[16:], "%08X", &n); err != nil {
		return ""
	}
	return fmt.Sprintf("%s%08X", name[:16], n+1)
}
