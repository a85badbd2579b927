package restore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/pgseal/pgseal/core/backupinfo"
)

// ours is the directory below the new data directory that is there as long as the restore is not finished. It holds the
// state, and for each archive the files that wait.
const (
	ours      = ".pgseal-restore"
	stateFile = "state.json"
	maxState  = 32 << 20
)

// state is what an interrupted restore goes on from.
type state struct {
	Format      int               `json:"format"` // 1
	Vault       string            `json:"vault"`
	Server      string            `json:"server"`
	BackupID    string            `json:"backup_id"`
	Manifest    string            `json:"manifest_sha256,omitempty"`
	Tablespaces map[string]string `json:"tablespaces,omitempty"` // their directories by oid
	// Boot tells whether the machine was restarted since: what was written may then not be on disk.
	Boot string   `json:"boot"`
	UID  int      `json:"uid"`
	GID  int      `json:"gid"`
	User string   `json:"user,omitempty"`
	Done []string `json:"done,omitempty"` // archives that are verified and unpacked
}

// directory is the new data directory with the tablespaces' beside it.
type directory struct {
	path  string
	data  *os.Root
	ours  *os.Root
	lock  *os.File
	trees map[string]*os.Root // by the archives' base name

	mu    sync.Mutex
	state state
	fresh bool // nothing was here
}

// bootID is "" where there is none, which counts as restarted.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// openDirectory makes or takes over the directories of a restore.
func openDirectory(path string, want state) (_ *directory, err error) {
	d := &directory{path: path, state: want, trees: map[string]*os.Root{}}
	defer func() {
		if err != nil {
			if d.fresh && d.data != nil { // leave it as it was: empty
				err = errors.Join(err, d.data.RemoveAll(ours))
			}
			d.close()
		}
	}()
	d.fresh, err = makeEmpty(path)
	switch {
	case errors.Is(err, errNotEmpty):
		if _, serr := os.Lstat(filepath.Join(path, ours)); serr != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	if d.data, err = os.OpenRoot(path); err != nil {
		return nil, err
	}
	if err := d.data.Mkdir(ours, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if d.ours, err = d.data.OpenRoot(ours); err != nil {
		return nil, err
	}
	if d.lock, err = d.ours.OpenFile("lock", os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%s: %w: another pgseal restores into it now", path, ErrDirectory)
	}
	if err := d.takeOver(want); err != nil {
		return nil, err
	}
	d.trees["data"] = d.data
	for oid, location := range want.Tablespaces {
		if _, err := makeEmpty(location); err != nil && (d.fresh || !errors.Is(err, errNotEmpty)) {
			return nil, fmt.Errorf("tablespace %s: %w; --tablespace NAME:LOCATION names another place", oid, err)
		}
		if d.trees[oid], err = os.OpenRoot(location); err != nil {
			return nil, err
		}
	}
	return d, d.save()
}

// takeOver reads the state that an earlier call left, if there is one.
func (d *directory) takeOver(want state) error {
	body, err := d.ours.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		// Killed before its first state, so before its first file.
		entries, err := fs.ReadDir(d.data.FS(), ".")
		if err == nil && len(entries) > 1 {
			err = fmt.Errorf("%s: %w: it is not empty", d.path, ErrDirectory)
		}
		d.fresh = true
		return err
	}
	if err != nil {
		return err
	}
	var have state
	if len(body) > maxState || json.Unmarshal(body, &have) != nil || have.Format != 1 {
		return fmt.Errorf("%s: %w: what an earlier restore left in %s cannot be read; empty the directory", d.path, ErrDirectory, ours)
	}
	if have.Vault != want.Vault || have.Server != want.Server || have.BackupID != want.BackupID || have.Manifest != want.Manifest ||
		!maps.Equal(have.Tablespaces, want.Tablespaces) {
		return fmt.Errorf("%s: %w: it holds an unfinished restore of backup %s of %s from %s, to other places or from another manifest; "+
			"give the arguments of that one, or empty the directory and its tablespaces'", d.path, ErrDirectory, have.BackupID, have.Server, have.Vault)
	}
	d.fresh = false
	if have.Boot == want.Boot && have.Boot != "" {
		d.state = have
	}
	return nil
}

var errNotEmpty = fmt.Errorf("%w: it is not empty", ErrDirectory)

// makeEmpty makes a directory that is not there, and tells whether it was empty.
func makeEmpty(path string) (bool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return false, err
	}
	if len(entries) > 0 {
		return false, fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return true, nil
}

// save writes the state in one step. mu is held, or nobody else is there yet.
func (d *directory) save() error {
	body, err := json.MarshalIndent(d.state, "", " ")
	if err != nil {
		return err
	}
	return replace(d.ours, stateFile, append(body, '\n'), 0o600)
}

// replace writes a file in one step, and syncs it.
func replace(root *os.Root, name string, body []byte, mode fs.FileMode) error {
	tmp := name + ".new"
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return root.Rename(tmp, name)
}

// done notes that an archive is unpacked.
func (d *directory) done(a archive, o *owner) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.Done = append(d.state.Done, a.String())
	o.mu.Lock()
	d.state.UID, d.state.GID, d.state.User = o.uid, o.gid, o.user
	o.mu.Unlock()
	return d.save()
}

// hold makes the place for the files of an archive that wait, anew.
func (d *directory) hold(a archive) (*os.Root, error) {
	name := a.String()
	if err := d.ours.RemoveAll(name); err != nil {
		return nil, err
	}
	if err := d.ours.Mkdir(name, 0o700); err != nil {
		return nil, err
	}
	return d.ours.OpenRoot(name)
}

func (d *directory) close() {
	for _, t := range d.trees {
		if t != d.data {
			_ = t.Close()
		}
	}
	for _, r := range []*os.Root{d.ours, d.data} {
		if r != nil {
			_ = r.Close()
		}
	}
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// locations decides where the tablespaces go, by oid. They must be apart from each other and from the data directory.
func (c Config) locations(list []backupinfo.Tablespace) (map[string]string, error) {
	known, to := map[string]bool{}, map[string]string{}
	for _, t := range list {
		known[t.Name] = true
		location := t.Location
		if other, given := c.Tablespaces[t.Name]; given {
			location = other
		}
		if !filepath.IsAbs(location) || strings.ContainsAny(location, "\x00\n\r") {
			return nil, fmt.Errorf("tablespace %q: %w: %.100q is no absolute path; --tablespace NAME:LOCATION names another place", t.Name, ErrDirectory, location)
		}
		location = filepath.Clean(location)
		for _, other := range append([]string{c.Dir}, mapsValues(to)...) {
			if within(location, other) || within(other, location) {
				return nil, fmt.Errorf("tablespace %q: %w: %s and %s are not apart from each other; --tablespace NAME:LOCATION names another place", t.Name, ErrDirectory, location, other)
			}
		}
		to[fmt.Sprint(t.OID)] = location
	}
	for name := range c.Tablespaces {
		if !known[name] {
			return nil, fmt.Errorf("%w: the backup has no tablespace %q", ErrDirectory, name)
		}
	}
	return to, nil
}

func mapsValues(m map[string]string) (list []string) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// within tells whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
