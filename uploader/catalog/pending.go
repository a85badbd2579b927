package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

// Pending lists the ids of a server's backups for which a finalizer has something to do, oldest first: a manifest in the
// vault and no seal, whatever staging says, or a marker without a verdict.
func Pending(ctx context.Context, vault, staging bucket.Bucket, server string) ([]string, error) {
	if err := layout.CheckServer(server); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	dir := layout.CompleteDir(server)
	for obj, err := range staging.List(ctx, dir) {
		if err != nil {
			return nil, fmt.Errorf("list the markers: %w", err)
		}
		_, id, err := layout.ParseMarker(obj.Key)
		if err != nil {
			continue
		}
		if _, _, err := finalizer.ReadVerdict(ctx, staging, server, id); absent(err) {
			wanted[id] = true
		} else if bucket.Retryable(err) || errors.Is(err, bucket.ErrDenied) {
			return nil, err
		}
	}
	for id, err := range vault.Dirs(ctx, layout.BaseDir(server)) {
		if err != nil {
			return nil, fmt.Errorf("list the vault's backups: %w", err)
		}
		if _, err := layout.ParseBackupID(id); err != nil || wanted[id] {
			continue
		}
		whole, err := stands(ctx, vault, layout.Manifest(server, id))
		if err != nil {
			return nil, err
		}
		sealed, err := stands(ctx, vault, layout.BackupInfo(server, id))
		if err != nil {
			return nil, err
		}
		if whole && !sealed {
			wanted[id] = true
		}
	}
	var ids []string
	for id := range wanted {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, strings.Compare)
	return ids, nil
}

// stands asks with a listing, which needs no right to read the object.
func stands(ctx context.Context, b bucket.Bucket, key string) (bool, error) {
	for obj, err := range b.List(ctx, key) {
		return err == nil && obj.Key == key, err
	}
	return false, nil
}
