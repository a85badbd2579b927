package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/keep"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
)

// backupKeep is "pgseal backup-keep".
func backupKeep(ctx context.Context, v *option.Values, env *Env) error {
	if v.Chosen("keep") == "" {
		return option.Errorf("one of the arguments -r/--release -s/--status --target is required")
	}
	if v.Set("retain-until") && v.Chosen("keep") != "target" {
		return option.Errorf("--retain-until goes with --target")
	}
	c, done, err := openCatalogue(ctx, v)
	if done || err != nil {
		return err
	}
	k := keep.Keeper{Catalogue: c}
	if k.Remover, err = store.Remover(c.Vault); err != nil {
		return err
	}
	id, err := c.Find(ctx, v.Arg("BACKUP_ID"))
	if err != nil {
		return asBarman(err)
	}
	switch {
	case v.Bool("status"):
		have, err := c.Keep(ctx, id)
		if err != nil {
			return asBarman(err)
		}
		if !have.Kept {
			have.Target = "nokeep"
		}
		_, err = fmt.Fprintf(env.Stdout, "Keep: %s\n", have.Target)
		return err
	case v.Bool("release"):
		left, err := k.Release(ctx, id)
		for _, l := range left {
			env.Log.Info("released; what marked it stays in the store for a while", "backup_id", id, "why", l)
		}
		return kept(id, err)
	}
	if until := v.Time("retain-until"); v.Set("retain-until") {
		n, err := k.Extend(ctx, id, until)
		if err != nil {
			return notExtended(id, err)
		}
		env.Log.Info("locked", "backup_id", id, "objects", n, "until", until)
	}
	return kept(id, k.Keep(ctx, id, v.String("target")))
}

func notExtended(id string, err error) error {
	if errors.Is(err, keep.ErrStatus) || errors.Is(err, bucket.ErrInvalid) || errors.Is(err, bucket.ErrDenied) {
		return &exitError{exitFailed, fmt.Errorf("backup %s is not kept: its lock cannot be extended: %w", id, err)}
	}
	return asBarman(err)
}

// kept gives what may stand in the way of a keep or a release its exit code, and says what to do.
func kept(id string, err error) error {
	switch {
	case errors.Is(err, keep.ErrStatus):
		return &exitError{exitFailed, err}
	case errors.Is(err, bucket.ErrRetained):
		return &exitError{exitFailed, fmt.Errorf("backup %s stays kept as it was: the store keeps the annotation, and it can be released then: %w", id, err)}
	}
	return asBarman(err)
}
