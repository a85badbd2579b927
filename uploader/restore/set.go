package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// squeezed is how much smaller than its files an archive is taken to be that is compressed.
const squeezed = 3

// room is what the files will take on disk. Nothing tells it of a compressed archive before it is unpacked.
func (s *set) room() (n int64) {
	for _, a := range s.archives {
		if n += a.size; a.Suffix != "" {
			n += (squeezed - 1) * a.size
		}
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
