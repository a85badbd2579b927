package pgdata

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Walk calls fn for every entry of one archive, parents before children, in
// the order of names. The first entry of PGDATA is ".", whose mode a restore
// needs; a tablespace has no such entry, as in barman. A file that vanished
// meanwhile is left out silently; what cannot be copied is an error that names
// it. An error of fn ends the walk and is returned as it is. Several walks may
// run at once.
func (p *Plan) Walk(ctx context.Context, a Archive, fn func(Entry) error) error {
	w := &walk{plan: p, ctx: ctx, fn: fn, tablespace: a.OID != 0}
	if w.tablespace {
		return w.version(a)
	}
	info, err := os.Lstat(p.Root)
	if err != nil {
		return fmt.Errorf("PGDATA: %w", err)
	}
	w.root = newEntry(".", p.Root, info)
	if err := w.directory(w.root, true); err != nil {
		return err
	}
	for _, e := range p.external {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

type walk struct {
	plan       *Plan
	ctx        context.Context
	fn         func(Entry) error
	tablespace bool
	root       Entry
}

// version walks this server's part of a tablespace. It is gone when the
// tablespace was dropped, and its link in PGDATA with it; with the link still
// there, the file system is gone.
func (w *walk) version(a Archive) error {
	path := filepath.Join(a.Location, w.plan.versionDir)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if _, linkErr := os.Lstat(filepath.Join(w.plan.Root, "pg_tblspc", a.Base)); linkErr == nil {
			return fmt.Errorf("tablespace %s: %w", a.Base, err)
		}
		return nil
	}
	return w.entry(w.plan.versionDir, path)
}

// directory reports e and, if asked, walks what is in it.
func (w *walk) directory(e Entry, descend bool) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	var names []string
	if descend {
		var err error
		if names, err = readNames(e.Path); errors.Is(err, fs.ErrNotExist) && e.Name != "." {
			return w.missing(e.Name)
		} else if err != nil {
			return explainDenied(e.Path, err)
		}
	}
	if err := w.fn(e); err != nil {
		return err
	}
	if w.isDatabase(e.Name) {
		names = dropRelations(names)
	}
	if descend && !w.tablespace {
		names = w.addRequired(e.Name, names)
	}
	for _, name := range names {
		rel := name
		if e.Name != "." {
			rel = e.Name + "/" + name
		}
		if skipFile(rel, name) || w.isExternal(rel) {
			continue
		}
		if err := w.entry(rel, filepath.Join(e.Path, name)); err != nil {
			return err
		}
	}
	return nil
}

// entry reports one name of a directory, with what is below it.
func (w *walk) entry(rel, path string) error {
	known := !w.tablespace && w.plan.known[rel]
	empty := emptied[filepath.Base(rel)] || (!w.tablespace && w.plan.emptied[rel])
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if strings.HasPrefix(rel, "pg_tblspc/") && isDigits(filepath.Base(rel)) {
			return nil
		}
		info, path, err = followLink(path, known || empty)
		if empty && err != nil {
			err = fs.ErrNotExist
		} else if err != nil {
			return err
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return w.missing(rel)
	}
	if err != nil {
		return explainDenied(path, err)
	}
	switch info.Mode().Type() {
	case 0:
		return w.fn(newEntry(rel, path, info))
	case fs.ModeDir:
		_, elsewhere := w.plan.elsewhere[path]
		return w.directory(newEntry(rel, path, info), !empty && !elsewhere)
	case fs.ModeSocket:
		return nil
	}
	return fmt.Errorf("%q is a %s: PostgreSQL has no such file; remove it from PGDATA and the tablespaces", path, describe(info.Mode()))
}

// missing reports a required directory that is not there, with the required
// ones below it, as belonging to PGDATA's owner. Any other name has vanished.
func (w *walk) missing(rel string) error {
	if w.tablespace {
		return nil
	}
	for _, dir := range required {
		if dir != rel && !strings.HasPrefix(dir, rel+"/") {
			continue
		}
		e := w.root
		e.Name, e.Path = dir, ""
		if err := w.fn(e); err != nil {
			return err
		}
	}
	return nil
}

// followLink resolves a link to a regular file, or to a directory where
// directories may be links. It returns the real path of what it leads to.
func followLink(path string, mayBeDir bool) (fs.FileInfo, string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			return nil, path, fs.ErrNotExist
		}
		return nil, path, fmt.Errorf("%q is a link that leads nowhere: %v: remove it or repair it", path, err)
	}
	info, err := os.Lstat(target)
	if err != nil {
		return nil, target, explainDenied(target, err)
	}
	if info.IsDir() && !mayBeDir {
		return nil, target, fmt.Errorf("%q is a link to the directory %q, which is no part of PostgreSQL: a restore would miss it; move the directory out of PGDATA or put it in place of the link", path, target)
	}
	return info, target, nil
}

// isDatabase reports whether a directory holds the relations of one database.
func (w *walk) isDatabase(rel string) bool {
	parent, name := filepath.Split(rel)
	if !isDigits(name) {
		return false
	}
	parent = strings.TrimSuffix(parent, "/")
	if w.tablespace {
		return parent == w.plan.versionDir
	}
	inPlace, _ := filepath.Match("pg_tblspc/*/"+w.plan.versionDir, parent)
	return parent == "base" || inPlace
}

// addRequired adds the directories that the archive must have and that are not
// there.
func (w *walk) addRequired(dir string, names []string) []string {
	for _, rel := range required {
		parent, name := filepath.Dir(rel), filepath.Base(rel)
		if parent == dir && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// isExternal: a file from outside takes this one's place in the root.
func (w *walk) isExternal(rel string) bool {
	if w.tablespace {
		return false
	}
	return slices.ContainsFunc(w.plan.external, func(e Entry) bool { return e.Name == rel })
}

func readNames(path string) ([]string, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

func newEntry(name, path string, info fs.FileInfo) Entry {
	e := Entry{
		Name:    name,
		Path:    path,
		Kind:    Regular,
		Mode:    info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky),
		ModTime: info.ModTime(),
	}
	if info.IsDir() {
		e.Kind = Dir
	} else {
		e.Size = info.Size()
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.UID, e.GID = int(st.Uid), int(st.Gid)
	}
	return e
}

func describe(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
