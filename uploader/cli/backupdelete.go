package cli

import (
	"context"
	"errors"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/prune"
	"github.com/pgseal/pgseal/uploader/store"
)

// backupDelete is "pgseal backup-delete".
func backupDelete(ctx context.Context, v *option.Values, env *Env) error {
	if v.Chosen("delete") == "" {
		return option.Errorf("one of the arguments -b/--backup-id -r/--retention-policy is required")
	}
	var policy prune.Policy
	var err error
	if v.Set("retention-policy") {
		if policy, err = prune.ParsePolicy(v.String("retention-policy")); err != nil {
			return option.Errorf("argument -r/--retention-policy: %v", err)
		}
	}
	c, done, err := openCatalogue(ctx, v)
	if done || err != nil {
		return err
	}
	d := &prune.Deleter{
		Catalogue: c, AtLeast: v.Int("minimum-redundancy"), Batch: v.Int("batch-size"), DryRun: v.Bool("dry-run"),
		Out: env.Stdout, Now: env.Now, Log: env.Log,
	}
	if d.Remover, err = store.Remover(c.Vault); err != nil {
		return err
	}
	if v.Set("retention-policy") {
		return deleted(d.ByPolicy(ctx, policy))
	}
	id, err := c.Find(ctx, v.String("backup-id"))
	if err != nil {
		return asBarman(err)
	}
	return deleted(d.One(ctx, id))
}

// deleted gives what may stand in the way of a deletion barman's exit code for it.
func deleted(err error) error {
	for _, kind := range []error{prune.ErrKept, prune.ErrRedundancy, prune.ErrUnreadable, prune.ErrUnsure, bucket.ErrRetained, bucket.ErrDenied} {
		if errors.Is(err, kind) {
			return &exitError{exitFailed, err}
		}
	}
	return asBarman(err)
}
