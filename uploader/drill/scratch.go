package drill

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// scratch is the directory in which everything of a drill is: data, tablespaces, the server's configuration, log and socket.
type scratch struct {
	dir  string
	lock *os.File
}

const (
	scratchName = "pgseal-drill-"
	lockName    = "lock"
	port        = 5432 // a name below the socket's directory and no more
	maxSocket   = 107  // sun_path of Linux, without its final zero
)

func (s *scratch) data() string   { return filepath.Join(s.dir, "data") }
func (s *scratch) log() string    { return filepath.Join(s.dir, "postgresql.log") }
func (s *scratch) config() string { return filepath.Join(s.dir, "postgresql.conf") }

// makeScratch makes a directory for this user alone, and removes first what drills left that were killed.
func makeScratch(in, server string, log *slog.Logger) (*scratch, error) {
	removeLeftovers(in, log)
	dir, err := os.MkdirTemp(in, scratchName+server+"-")
	if err != nil {
		return nil, fmt.Errorf("%w: %w; --scratch-directory names another place", ErrScratch, err)
	}
	s := &scratch{dir: dir}
	if n := len(filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", port))); n > maxSocket {
		return nil, errors.Join(fmt.Errorf("%w: the path %s is too long for a socket (%d of %d bytes); --scratch-directory names a shorter one", ErrScratch, dir, n, maxSocket), os.Remove(dir))
	}
	// Locked before it has its name: another drill takes a lock that nobody holds for a leftover.
	f, err := os.OpenFile(filepath.Join(dir, "new"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		s.lock = f
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			err = os.Rename(f.Name(), filepath.Join(dir, lockName))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrScratch, err), os.RemoveAll(dir))
	}
	return s, nil
}

// end removes the directory, or lets it stay for somebody to look. What cannot be removed says nothing of the backup; the next
// drill tries again.
func (s *scratch) end(keep bool, log *slog.Logger) {
	defer s.lock.Close()
	remove := os.RemoveAll
	path := s.dir
	if keep {
		log.Info("the restored files, the server's configuration and its log are kept", "directory", s.dir)
		remove, path = os.Remove, filepath.Join(s.dir, lockName)
	}
	if err := remove(path); err != nil {
		log.Error("the scratch directory stays: remove it", "directory", s.dir, "error", err)
	}
}

// removeLeftovers removes the directories of drills that were killed: this user's, with a lock that nobody holds.
func removeLeftovers(in string, log *slog.Logger) {
	dirs, _ := filepath.Glob(filepath.Join(in, scratchName+"*")) // a pattern in the path finds nothing
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !mine(info) {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue // kept, or just being made
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			log.Warn("a drill was killed; what it left is removed", "directory", dir)
			if err := os.RemoveAll(dir); err != nil {
				log.Warn("it cannot be removed", "directory", dir, "error", err)
			}
		}
		_ = f.Close()
	}
}

func mine(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
