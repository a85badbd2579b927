package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

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
