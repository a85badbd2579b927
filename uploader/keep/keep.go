// Package keep writes and releases barman's annotation that a backup is to be kept: one small object beside the backup,
// which every barman and backup-delete respect. In a locked vault the annotation is locked as all else.
package keep

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

// ErrStatus: the backup is not complete, and cannot be kept.
var ErrStatus = errors.New("only backups with status DONE can be kept")

// Keeper is a catalogue with the right to keep and to release.
type Keeper struct {
	barman.Catalogue
	Remover bucket.Remover
}

// Keep creates the annotation. One that is there with the same target is a success; with another one it is released
// first, if the store lets it.
func (k Keeper) Keep(ctx context.Context, id, target string) error {
	b, err := k.Backup(ctx, id)
	if err != nil {
		return err
	}
	if !b.Done() {
		return fmt.Errorf("cannot add keep to backup %s because it has status %s: %w", id, b.Fields.Text("status"), ErrStatus)
	}
	have, err := k.Catalogue.Keep(ctx, id)
	switch {
	case err != nil:
		return err
	case have.Kept && have.Target == target:
		return nil
	case have.Kept:
		if _, err := k.Release(ctx, id); err != nil {
			return fmt.Errorf("it is kept as %s: %w", have.Target, err)
		}
	}
	_, err = bucket.CreateOrMatch(ctx, k.Vault, layout.Keep(k.Server, id), []byte(target), bucket.CreateOptions{})
	return err
}

// Release makes the annotation vanish, and nothing if there is none. Where the store keeps versions it is hidden, as by
// barman, and the versions stay until their lock ends: left says so. Elsewhere it is deleted: bucket.ErrRetained as long as
// it is locked, and the backup stays kept.
func (k Keeper) Release(ctx context.Context, id string) (left []string, err error) {
	versions, err := k.versions(ctx, id)
	if err != nil || !slices.ContainsFunc(versions, func(o bucket.Object) bool { return o.Latest && !o.DeleteMarker }) {
		return nil, err
	}
	switch err := k.Remover.Hide(ctx, layout.Keep(k.Server, id)); {
	case err == nil:
		for _, o := range versions {
			if err := k.Remover.Removable(ctx, o); errors.Is(err, bucket.ErrRetained) {
				left = append(left, err.Error())
			}
		}
		return left, nil
	case !errors.Is(err, bucket.ErrInvalid):
		return nil, err
	}
	for _, o := range slices.Backward(versions) { // the current one last: until then the backup is kept
		if err := k.Remover.Removable(ctx, o); err != nil {
			return nil, err
		}
	}
	for _, o := range slices.Backward(versions) {
		if err := k.Remover.Remove(ctx, o); err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return nil, err
		}
	}
	return nil, nil
}

// versions are those of the annotation, newest first.
func (k Keeper) versions(ctx context.Context, id string) (all []bucket.Object, err error) {
	key := layout.Keep(k.Server, id)
	list := k.Vault.ListVersions(ctx, key)
	for versions := true; ; versions = false {
		denied := false
		for o, err := range list {
			if denied = versions && errors.Is(err, bucket.ErrDenied); denied {
				break
			}
			if err != nil {
				return nil, err
			}
			if o.Key == key {
				all = append(all, o)
			}
		}
		if !denied {
			return all, nil
		}
		list = k.Vault.List(ctx, key) // who may not list versions can still hide
	}
}
