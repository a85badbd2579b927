package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

// leftovers removes what an interrupted deletion of the backup has left. named: somebody asked for this backup.
func (d *Deleter) leftovers(ctx context.Context, id string, named bool) error {
	objects, err := d.objects(ctx, id)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		d.Log.Warn("this backup does not exist", "server", d.Server, "backup_id", id)
		return nil
	}
	if !named && slices.ContainsFunc(objects, func(o bucket.Object) bool { return o.Key == layout.BackupInfo(d.Server, id) }) {
		return fmt.Errorf("backup %s of server %s: %w, or be hidden by somebody: its backup.info is behind a delete marker; delete it by its id", id, d.Server, ErrUnsure)
	}
	if err := d.dead(id, objects); err != nil {
		return err
	}
	if err := d.checkLocks(ctx, id, objects); err != nil {
		return err
	}
	return d.removeAll(ctx, id, objects)
}

// dead tells whether objects without a backup.info belong to nobody any more: there is no manifest either, which a set
// that waits for its seal has, and none of them is new. Annotations alone are always left over.
func (d *Deleter) dead(id string, objects []bucket.Object) error {
	var newest time.Time
	for _, o := range objects {
		switch {
		case strings.HasPrefix(o.Key, layout.Annotations(d.Server, id)):
			continue
		case o.Key == layout.Manifest(d.Server, id):
			return fmt.Errorf("backup %s of server %s is not sealed, and not deleted: %w; pgseal status tells of it", id, d.Server, ErrUnsure)
		}
		if o.Created.After(newest) {
			newest = o.Created
		}
	}
	if until := newest.Add(Quiet); until.After(d.Now()) {
		return fmt.Errorf("backup %s of server %s has no backup.info, and is not deleted: %w; from %s on nobody takes it for one",
			id, d.Server, ErrUnsure, until.UTC().Format("2006-01-02 15:04:05Z"))
	}
	return nil
}

// finish looks for what interrupted deletions have left, among the directories older than the oldest complete backup: there
// is where deletions are.
func (d *Deleter) finish(ctx context.Context, all []barman.Backup) error {
	oldest := slices.IndexFunc(all, barman.Backup.Done)
	if oldest < 0 {
		return nil
	}
	for id, err := range d.Vault.Dirs(ctx, layout.BaseDir(d.Server)) {
		if err != nil {
			return fmt.Errorf("list the backups: %w", err)
		}
		if _, err := layout.ParseBackupID(id); err != nil || id >= all[oldest].ID || slices.ContainsFunc(all, func(b barman.Backup) bool { return b.ID == id }) {
			continue
		}
		switch err := d.leftovers(ctx, id, false); {
		case errors.Is(err, ErrUnsure), errors.Is(err, bucket.ErrRetained):
			d.Log.Info("left alone", "backup_id", id, "error", err)
		case err != nil:
			return err
		}
	}
	return nil
}

// unsealed gives the id of a backup without backup.info, other than those that were just deleted, that may need WAL before
// the given name: one that is older than the backup which needs that name. Nobody can tell what an upload needs that runs;
// one that is newer than a complete backup needs nothing that this one does not.
func (d *Deleter) unsealed(ctx context.Context, all []barman.Backup, before string) (string, error) {
	until := "~" // after every id
	for _, b := range all {
		if b.Fields.Text("begin_wal") == before && !d.gone[b.ID] {
			until = b.ID
			break
		}
	}
	for id, err := range d.Vault.Dirs(ctx, layout.BaseDir(d.Server)) {
		if err != nil {
			return "", fmt.Errorf("list the backups: %w", err)
		}
		if id >= until || d.gone[id] || slices.ContainsFunc(all, func(b barman.Backup) bool { return b.ID == id }) {
			continue
		}
		objects, err := d.objects(ctx, id)
		if err != nil {
			return "", err
		}
		if d.dead(id, objects) != nil {
			return id, nil
		}
	}
	return "", nil
}
