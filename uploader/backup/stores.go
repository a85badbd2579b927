package backup

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// ErrRefused is the kind of what pgseal will not do with these stores, though
// they would let it.
var ErrRefused = errors.New("refused")

// CheckStores asks whether vault and staging answer, whether archives may be
// created in the one and records in the other, and whether the one keeps what
// it is given and the other does not. It stores nothing.
func (c Config) CheckStores(ctx context.Context) error {
	id := layout.BackupID(c.Now())
	if err := c.checkVaultLock(ctx); err != nil {
		return fmt.Errorf("the vault: %w", err)
	}
	main := layout.BackupDir(c.Server, id) + layout.Archive{Base: layout.Data, Suffix: c.Codec.Suffix}.String()
	if err := c.Vault.CheckCreate(ctx, main); err != nil {
		return fmt.Errorf("the vault takes no archives: %w", err)
	}
	if _, err := empty(ctx, c.Vault, layout.BackupDir(c.Server, id)); err != nil {
		return fmt.Errorf("the vault cannot be listed: %w", err)
	}
	if err := c.checkStagingLock(ctx); err != nil {
		return fmt.Errorf("staging: %w", err)
	}
	if err := c.Staging.CheckCreate(ctx, layout.BackupInfo(c.Server, id)); err != nil {
		return fmt.Errorf("staging takes no records: %w", err)
	}
	if _, err := empty(ctx, c.Staging, layout.BackupDir(c.Server, id)); err != nil {
		return fmt.Errorf("staging cannot be listed: %w", err)
	}
	return nil
}

func (c Config) checkVaultLock(ctx context.Context) error {
	lock, err := c.Vault.Lock(ctx)
	asked := !c.RetainUntil.IsZero()
	var lacking string
	switch {
	case errors.Is(err, bucket.ErrDenied):
		lacking = "these credentials may not see whether it locks what it is given"
	case err != nil:
		return err
	case !lock.Enabled && asked:
		return fmt.Errorf("%w: %s has no lock, so no retention can be set on what is stored there; make a vault with one, or leave the retention out", ErrRefused, c.Vault.URL())
	case !lock.Enabled:
		lacking = "it has no lock: whoever has the rights can delete or replace the backup"
	case lock.Default == 0 && !asked:
		lacking = "it can lock objects, but has no default retention, and neither --retention nor --retain-until is given: this backup will not be locked"
	}
	if asked && !c.RetainUntil.After(c.Now()) {
		return fmt.Errorf("%w: the retention would end in the past, at %s", ErrRefused, c.RetainUntil.Format("2006-01-02 15:04:05Z07:00"))
	}
	if lacking == "" {
		return nil
	}
	if c.RequireLock {
		return fmt.Errorf("%w: %s: %s (--require-lock)", ErrRefused, c.Vault.URL(), lacking)
	}
	c.Log.Warn("the vault does not protect this backup: "+lacking, "vault", c.Vault.URL())
	return nil
}

func (c Config) checkStagingLock(ctx context.Context) error {
	lock, err := c.Staging.Lock(ctx)
	switch {
	case errors.Is(err, bucket.ErrDenied): // a lock there shows at the second write of the record
		return nil
	case err != nil:
		return err
	case lock.Enabled:
		return fmt.Errorf("%w: %s has a lock, and what is kept there is written more than once; give another bucket or path, without retention", ErrRefused, c.Staging.URL())
	}
	return nil
}

// empty tells whether no key begins with prefix.
func empty(ctx context.Context, b bucket.Bucket, prefix string) (bool, error) {
	for _, err := range b.List(ctx, prefix) {
		return false, err
	}
	return true, nil
}
