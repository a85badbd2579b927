package pgdata

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Options say where the cluster is and what its settings are. All but Root may
// be left empty.
type Options struct {
	// Root is PGDATA; it may be a link.
	Root        string
	Tablespaces []Tablespace
	// ConfigFile, HBAFile and IdentFile are the settings of these names. Those
	// outside PGDATA are added to its root under their base names, as barman
	// does.
	ConfigFile, HBAFile, IdentFile string
	// IncludedFiles are further configuration files. Those outside PGDATA are
	// not copied; each makes a warning.
	IncludedFiles []string
	// LogDirectory and StatsTempDirectory (up to PostgreSQL 14) are the
	// settings of these names, relative to PGDATA or absolute; their contents
	// are left out.
	LogDirectory, StatsTempDirectory string
}

// Plan is what a backup will contain. It holds no list of files: a cluster may
// have millions, and they come and go; Walk reads the directories each time.
type Plan struct {
	// Root is PGDATA with all links resolved.
	Root string
	// Major is the content of PG_VERSION: "15".
	Major string
	// Archives, in the order in which they are walked: "data" first, then
	// every tablespace, in the order of their OIDs, empty ones included.
	Archives []Archive
	// Warnings are sentences for the log: what is deliberately not copied.
	Warnings []string

	versionDir string            // PG_15_202209061: this server's part of a tablespace
	external   []Entry           // configuration files from outside, for the root
	emptied    map[string]bool   // tar names of directories that lose their contents
	known      map[string]bool   // tar names of directories that may be links
	elsewhere  map[string]uint32 // real paths of tablespaces, which have their own archives
}

// NewPlan resolves links, tablespaces and external configuration files. It
// reads pg_control for the version of the catalogue. An error names the file or
// the tablespace that does not fit.
func NewPlan(o Options) (*Plan, error) {
	root, err := filepath.EvalSymlinks(o.Root)
	if err != nil {
		return nil, fmt.Errorf("PGDATA: %w", err)
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, fmt.Errorf("PGDATA: %w", err)
	}
	version, err := os.ReadFile(filepath.Join(root, "PG_VERSION"))
	if err != nil {
		return nil, fmt.Errorf("%s is not a PGDATA this user can read: %w", root, err)
	}
	_, control, err := ReadControl(root)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Root:      root,
		Major:     strings.TrimSpace(string(version)),
		Archives:  []Archive{{Base: "data", Location: root}},
		emptied:   map[string]bool{"pg_wal": true},
		known:     set(required...),
		elsewhere: map[string]uint32{},
	}
	p.versionDir = fmt.Sprintf("PG_%s_%d", p.Major, control.CatalogVersion)
	for _, dir := range append(slices.Clone(logDirectories), o.LogDirectory, o.StatsTempDirectory) {
		p.leaveEmpty(dir)
	}
	if err := p.addTablespaces(o.Tablespaces); err != nil {
		return nil, err
	}
	if err := p.addConfiguration(o); err != nil {
		return nil, err
	}
	return p, nil
}

// leaveEmpty marks a directory below PGDATA, given by a setting. A setting that
// names PGDATA itself, or a directory that the server needs, changes nothing.
func (p *Plan) leaveEmpty(dir string) {
	if dir == "" {
		return
	}
	rel := filepath.Clean(dir)
	if filepath.IsAbs(dir) {
		inside, ok := p.relative(dir)
		if !ok {
			return
		}
		rel = inside
	}
	if rel == "." || !filepath.IsLocal(rel) {
		return
	}
	for _, dir := range required {
		if dir == rel || strings.HasPrefix(dir, rel+"/") {
			return
		}
	}
	p.emptied[rel] = true
	p.known[rel] = true
}

// relative gives the tar name of a path if its directory lies within PGDATA.
// The last element itself may be a link.
func (p *Plan) relative(path string) (rel string, inside bool) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", false
	}
	rel, err = filepath.Rel(p.Root, filepath.Join(dir, filepath.Base(path)))
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return rel, true
}

// addTablespaces makes an archive of each and compares them with the links in
// pg_tblspc.
func (p *Plan) addTablespaces(list []Tablespace) error {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Tablespace) int { return cmp.Compare(a.OID, b.OID) })
	named := map[string]bool{}
	for _, ts := range list {
		oid := strconv.FormatUint(uint64(ts.OID), 10)
		named[oid] = true
		if ts.InPlace {
			continue
		}
		what := fmt.Sprintf("tablespace %q (%s) at %s", ts.Name, oid, ts.Location)
		target, err := os.Readlink(filepath.Join(p.Root, "pg_tblspc", oid))
		if err != nil {
			return fmt.Errorf("%s: its link in PGDATA: %w", what, err)
		}
		if target != ts.Location {
			return fmt.Errorf("%s: the link in %s/pg_tblspc leads to %s: these are not the files of this server", what, p.Root, target)
		}
		location, err := filepath.EvalSymlinks(ts.Location)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if _, err := os.Lstat(filepath.Join(location, p.versionDir)); err != nil {
			return fmt.Errorf("%s: the directory of this server's version: %w", what, explainDenied(location, err))
		}
		p.elsewhere[location] = ts.OID
		p.Archives = append(p.Archives, Archive{Base: oid, OID: ts.OID, Location: location})
	}
	return p.warnOfUnnamedTablespaces(named)
}

func (p *Plan) warnOfUnnamedTablespaces(named map[string]bool) error {
	links, err := os.ReadDir(filepath.Join(p.Root, "pg_tblspc"))
	if err != nil {
		return explainDenied(filepath.Join(p.Root, "pg_tblspc"), err)
	}
	for _, link := range links {
		if link.Type()&fs.ModeSymlink != 0 && isDigits(link.Name()) && !named[link.Name()] {
			p.Warnings = append(p.Warnings, fmt.Sprintf("pg_tblspc/%s belongs to no tablespace that the server named when the backup started; it is not copied", link.Name()))
		}
	}
	return nil
}

// addConfiguration finds the configuration files that Walk will not meet.
func (p *Plan) addConfiguration(o Options) error {
	for _, setting := range []struct{ name, path string }{
		{"config_file", o.ConfigFile}, {"hba_file", o.HBAFile}, {"ident_file", o.IdentFile},
	} {
		if setting.path == "" {
			continue
		}
		if _, inside := p.relative(setting.path); inside {
			continue
		}
		if err := p.addExternal(setting.path); err != nil {
			// The server runs without pg_ident.conf.
			if setting.name == "ident_file" && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return fmt.Errorf("%s outside PGDATA: %w", setting.name, err)
		}
	}
	for _, path := range o.IncludedFiles {
		if _, inside := p.relative(path); !inside {
			p.Warnings = append(p.Warnings, fmt.Sprintf("configuration file %q is outside PGDATA and is not copied", path))
		}
	}
	return nil
}

func (p *Plan) addExternal(path string) error {
	name := filepath.Base(path)
	for _, e := range p.external {
		if e.Path == path {
			return nil
		}
		if e.Name == name {
			return fmt.Errorf("%s and %s would both become %q in the root of PGDATA: give one another name", e.Path, path, name)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return explainDenied(path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if skipFile(name, name) || p.known[name] || name == "PG_VERSION" || name == "postgresql.auto.conf" {
		return fmt.Errorf("%s would take the place of PGDATA's own %q: give it another name", path, name)
	}
	if there, err := os.Lstat(filepath.Join(p.Root, name)); err == nil {
		if there.IsDir() {
			return fmt.Errorf("%s would take the place of a directory in PGDATA: give it another name", path)
		}
		p.Warnings = append(p.Warnings, fmt.Sprintf("%q in PGDATA is not in use and not copied: %s takes its place", name, path))
	}
	p.external = append(p.external, newEntry(name, path, info))
	return nil
}

// Survey walks every archive once without reading any file: what could not be
// copied (links to elsewhere, devices, files this user may not read) is found
// before the first byte is sent. The totals serve for progress.
func (p *Plan) Survey(ctx context.Context) (Totals, error) {
	var t Totals
	for _, a := range p.Archives {
		err := p.Walk(ctx, a, func(e Entry) error {
			if e.Kind == Dir {
				t.Dirs++
				return nil
			}
			if err := mayRead(e.Path); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return explainDenied(e.Path, err)
			}
			t.Files++
			t.Bytes += e.Size
			return nil
		})
		if err != nil {
			return Totals{}, err
		}
	}
	return t, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
