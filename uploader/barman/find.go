package barman

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgseal/pgseal/core/layout"
)

// ErrName: no backup has this name, or several have.
var ErrName = errors.New("no such backup")

// Find gives the id of the backup that an id or a name means. An id need not exist.
func (c Catalogue) Find(ctx context.Context, idOrName string) (string, error) {
	if _, err := layout.ParseBackupID(idOrName); err == nil {
		return idOrName, nil
	}
	all, _, err := c.Backups(ctx)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, b := range all {
		if name, ok := b.Fields["backup_name"].(string); ok && name == idOrName {
			ids = append(ids, b.ID)
		}
	}
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", fmt.Errorf("%w: server %s has none with the id or name %q in %s", ErrName, c.Server, idOrName, c.Vault.URL())
	}
	return "", fmt.Errorf("%w: several have the name %q; give one of the ids %s", ErrName, idOrName, strings.Join(ids, ", "))
}
