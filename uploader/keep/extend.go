package keep

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

const (
	maxExtended = 200_000 // objects of one backup with its WAL
	parallel    = 16
)

// Extend locks all objects of a complete backup, and the WAL that it needs by itself, until the given time at least, and
// gives their number. What is locked for longer stays so. bucket.ErrInvalid: the store has no longer locks for single
// objects. An error leaves some of them locked for longer; the same call again does the rest.
func (k Keeper) Extend(ctx context.Context, id string, until time.Time) (n int, err error) {
	b, err := k.Backup(ctx, id)
	if err != nil {
		return 0, err
	}
	if !b.Done() {
		return 0, fmt.Errorf("backup %s has status %s: %w", id, b.Fields.Text("status"), ErrStatus)
	}
	objects, err := k.needed(ctx, b)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(objects))
	var group sync.WaitGroup
	free := make(chan struct{}, parallel)
	for i, o := range objects {
		free <- struct{}{}
		if i > 0 && errs[0] != nil {
			break // where the first cannot be locked, none can
		}
		group.Go(func() {
			defer func() { <-free }()
			if err := k.Vault.Retain(ctx, o.Key, o.Version, until); !errors.Is(err, bucket.ErrRetained) { // else it is locked for longer
				errs[i] = err
			}
		})
		if i == 0 {
			group.Wait()
		}
	}
	group.Wait()
	return len(objects), errors.Join(errs...)
}

// needed are the objects of a backup, and the WAL from its first segment to its last, with its timeline's history file.
func (k Keeper) needed(ctx context.Context, b barman.Backup) (all []bucket.Object, err error) {
	begin, end := b.Fields.Text("begin_wal"), b.Fields.Text("end_wal")
	if len(begin) != 24 || len(end) != 24 {
		return nil, fmt.Errorf("backup %s does not say which WAL it needs", b.ID)
	}
	add := func(prefix string, wanted func(name string) bool) error {
		for o, err := range k.Vault.List(ctx, prefix) {
			if err != nil {
				return err
			}
			if wanted(path.Base(o.Key)) {
				all = append(all, o)
			}
			if len(all) > maxExtended {
				return fmt.Errorf("backup %s needs more than %d objects", b.ID, maxExtended)
			}
		}
		return nil
	}
	err = add(layout.BackupDir(k.Server, b.ID), func(string) bool { return true })
	for dir, dirErr := range k.Vault.Dirs(ctx, layout.WALDir(k.Server)) {
		switch {
		case err != nil:
			return nil, err
		case dirErr != nil:
			return nil, dirErr
		case dir >= begin[:16] && dir <= end[:16]:
			err = add(layout.WALDir(k.Server)+dir+"/", func(name string) bool { return len(name) >= 24 && name[:24] >= begin && name[:24] <= end })
		}
	}
	if err == nil && b.Info.Timeline > 1 {
		err = add(layout.WALDir(k.Server)+layout.History(b.Info.Timeline), func(string) bool { return true })
	}
	return all, err
}
