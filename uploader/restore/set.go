package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

const (
	maxVersions = 8 // of backup.info and of the manifest that are read
	// maxListed bounds the objects of one backup that are looked at.
	maxListed = 2 * manifest.MaxObjects
)

// set is one backup as it is read.
type set struct {
	id       string
	info     backupinfo.Info
	manifest *manifest.Manifest // nil: not pgseal's
	digest   string             // of the manifest
	archives []archive
	notes    []string
}

// archive is one tar, with what is known of its bytes.
type archive struct {
	layout.Archive
	key, version string
	size         int64
	sha256       string // "" without a manifest
	crc32c       string // "" where nobody knows it
}

func (s *set) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (s *set) bytes() (n int64) {
	for _, a := range s.archives {
		n += a.size
	}
	return n
}

// bases are the base names of the archives: PGDATA's and one for each tablespace.
func (s *set) bases() []string {
	list := []string{layout.Data}
	for _, t := range s.info.Tablespaces {
		list = append(list, fmt.Sprint(t.OID))
	}
	return list
}

// openSet reads what the backup consists of.
func (c Config) openSet(ctx context.Context, id string) (*set, error) {
	s, err := c.sealed(ctx, id)
	if err != nil || s != nil {
		return s, err
	}
	info, err := c.readInfo(ctx, id)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return nil, fmt.Errorf("%w: there is no backup.info of %s in %s: it is not sealed; pgseal status says why", ErrNoBackup, id, c.Vault.URL())
	case err != nil:
		return nil, err
	case info.Status != backupinfo.Done:
		return nil, fmt.Errorf("%w: the status of %s is %.20q, and only complete backups are restored", ErrNoBackup, id, info.Status)
	case info.Comment("manifest_sha256") != "":
		return nil, fmt.Errorf("%w: the manifest that the seal of %s names (SHA-256 %.64s) is not there: somebody wrote over one of the two; "+
			"pgseal audit says more, and barman-cloud-restore restores what is there, whatever it is", ErrDamaged, id, info.Comment("manifest_sha256"))
	}
	s = &set{id: id, info: info}
	return s, c.findArchives(ctx, s)
}

// sealed is the set that a seal of pgseal's and a manifest pin, nil when there is no such pair. The oldest pair counts:
// the finalizer writes where nothing stands, so that whatever came later was written over it.
func (c Config) sealed(ctx context.Context, id string) (*set, error) {
	seals, err := c.versions(ctx, layout.BackupInfo(c.Server, id))
	if err != nil {
		return nil, err
	}
	var manifests []bucket.Object
	for _, seal := range seals {
		body, _, err := bucket.ReadAll(ctx, c.Vault, seal.Key, seal.Version, backupinfo.MaxBytes)
		if unreadable(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		info, err := backupinfo.Parse(body)
		if err != nil || info.Comment("manifest_sha256") == "" {
			continue
		}
		if manifests == nil {
			if manifests, err = c.versions(ctx, layout.Manifest(c.Server, id)); err != nil {
				return nil, err
			}
		}
		for _, obj := range manifests {
			s, err := c.pinned(ctx, id, body, info, obj)
			if err != nil || s == nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			if len(seals) > 1 {
				s.note("%s has %d versions; the oldest seal with its manifest counts", seal.Key, len(seals))
			}
			if len(manifests) > 1 {
				s.note("%s has %d versions; the one that the seal names counts", obj.Key, len(manifests))
			}
			return s, c.compare(ctx, s)
		}
	}
	return nil, nil
}

// unreadable tells of errors that say something of one object, not of the store.
func unreadable(err error) bool {
	return errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrTooLarge) || errors.Is(err, bucket.ErrInvalid)
}

// pinned is the set of a manifest that the seal was made from; nil when it was made from another.
func (c Config) pinned(ctx context.Context, id string, seal []byte, info backupinfo.Info, obj bucket.Object) (*set, error) {
	body, _, err := bucket.ReadAll(ctx, c.Vault, obj.Key, obj.Version, manifest.MaxBytes)
	if unreadable(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	digest := manifest.Digest(body)
	m, err := manifest.Parse(body)
	if judged := err == nil && m.Check(c.Server, id) == nil && finalizer.SameSeal(seal, m, digest); !judged {
		return nil, nil
	}
	s := &set{id: id, info: info, manifest: &m, digest: digest}
	if m.CorruptPages > 0 {
		s.note("%d pages failed PostgreSQL's checksums when the backup read them, and come back as they were: an older backup may have them whole", m.CorruptPages)
	}
	for _, o := range m.Objects {
		name, err := layout.ParseArchive(o.Name)
		if err != nil {
			return nil, err
		}
		s.archives = append(s.archives, archive{Archive: name, key: layout.BackupDir(c.Server, id) + o.Name, version: o.Version, size: o.Size, sha256: o.SHA256, crc32c: o.CRC32C})
	}
	return s, nil
}

// versions are those of one key without delete markers, oldest first. Who may not list versions sees the current one.
func (c Config) versions(ctx context.Context, key string) (all []bucket.Object, err error) {
	n := 0
	for obj, err := range c.Vault.ListVersions(ctx, key) {
		if errors.Is(err, bucket.ErrDenied) {
			return []bucket.Object{{Key: key}}, nil
		}
		if err != nil {
			return nil, err
		}
		if n++; obj.Key != key || n > 1000 {
			break // keys come in order: a longer one follows all versions of this one
		}
		if !obj.DeleteMarker {
			all = append(all, obj)
		}
	}
	slices.Reverse(all)
	return all[:min(len(all), maxVersions)], nil
}

// listing is what stands below the backup's directory now.
type listing struct {
	current map[string]bucket.Object // by name
	seen    map[string]bool          // with any version
	whole   bool
}

func (c Config) list(ctx context.Context, id string) (listing, error) {
	l := listing{current: map[string]bucket.Object{}, seen: map[string]bool{}, whole: true}
	dir := layout.BackupDir(c.Server, id)
	objects := c.Vault.ListVersions(ctx, dir)
	for versions := true; ; versions = false {
		denied := false
		for obj, err := range objects {
			if denied = versions && errors.Is(err, bucket.ErrDenied); denied {
				break
			}
			if err != nil {
				return l, err
			}
			name := strings.TrimPrefix(obj.Key, dir)
			if obj.Latest && !obj.DeleteMarker {
				l.current[name] = obj
			}
			l.seen[name] = l.seen[name] || !obj.DeleteMarker
			if len(l.seen) > maxListed {
				l.whole = false
				return l, nil
			}
		}
		if !denied {
			return l, nil
		}
		objects = c.Vault.List(ctx, dir)
	}
}

// compare reports what is there besides the manifest's objects, and what hides one of them.
func (c Config) compare(ctx context.Context, s *set) error {
	l, err := c.list(ctx, s.id)
	if err != nil {
		return err
	}
	dir := layout.BackupDir(c.Server, s.id)
	known := map[string]bool{}
	for _, a := range s.archives {
		name := a.String()
		known[name] = true
		now, there := l.current[name]
		switch {
		case l.whole && !l.seen[name]:
			return fmt.Errorf("%w: %s is gone, and the manifest lists it", ErrDamaged, a.key)
		case !l.seen[name]:
		case !there:
			s.note("%s is hidden by a delete marker; the sealed version is read", a.key)
		case now.Version != a.version:
			s.note("%s was written over (version %s); the sealed version %s is read", a.key, now.Version, a.version)
		}
	}
	var extra []string
	for name := range l.current {
		for _, base := range s.bases() {
			if !known[name] && layout.ReadByRestore(name, base) {
				extra = append(extra, name)
			}
		}
	}
	slices.Sort(extra)
	for i, name := range extra {
		if i == 20 {
			s.note("and %d more objects were added to %s", len(extra)-i, dir)
			break
		}
		s.note("%s was added after the backup was sealed, and is not restored; barman-cloud-restore would", dir+name)
	}
	if !l.whole {
		s.note("%s holds more than %d objects; not all were looked at", dir, maxListed)
	}
	return nil
}

// findArchives goes by listing, as barman does. Unlike it, it refuses a set in which a part is missing.
func (c Config) findArchives(ctx context.Context, s *set) error {
	l, err := c.list(ctx, s.id)
	if err != nil {
		return err
	}
	dir := layout.BackupDir(c.Server, s.id)
	if !l.whole {
		return fmt.Errorf("%w: %s holds more than %d objects", ErrDamaged, dir, maxListed)
	}
	for _, base := range s.bases() {
		parts := map[int]archive{}
		for name, obj := range l.current {
			if !layout.ReadByRestore(name, base) {
				continue
			}
			n, err := layout.ParseArchive(name)
			if err != nil {
				return fmt.Errorf("%w: a restore takes %s for an archive, and it is none: %w", ErrRefused, obj.Key, err)
			}
			if other, twice := parts[n.Number]; twice {
				return fmt.Errorf("%w: %s and %s are there, and nothing says which of them is the backup's", ErrDamaged, other.key, obj.Key)
			}
			parts[n.Number] = archive{Archive: n, key: obj.Key, version: obj.Version, size: obj.Size, crc32c: obj.CRC32C}
		}
		for n := range len(parts) {
			if _, there := parts[n]; !there {
				return fmt.Errorf("%w: %s is not there: the backup is not whole", ErrDamaged, dir+layout.Archive{Base: base, Number: n}.String())
			}
			s.archives = append(s.archives, parts[n])
		}
		if len(parts) == 0 {
			return fmt.Errorf("%w: %s is not there in any compression: the backup is not whole", ErrDamaged, dir+base+".tar")
		}
	}
	return nil
}

// largestFirst orders archives so that no worker is left alone with a large one at the end.
func largestFirst(list []archive) []archive {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b archive) int { return cmp.Compare(b.size, a.size) })
	return list
}
