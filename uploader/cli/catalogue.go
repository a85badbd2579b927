package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
)

// backupList is "pgseal backup-list".
func backupList(ctx context.Context, v *option.Values, env *Env) error {
	c, done, err := openCatalogue(ctx, v)
	if done || err != nil {
		return err
	}
	all, unreadable, err := c.Backups(ctx)
	if err != nil {
		return asBarman(err)
	}
	for _, u := range unreadable {
		env.Log.Warn("left out: its backup.info cannot be read", "backup_id", u.ID, "error", u.Err)
	}
	if v.String("format") == "json" {
		return barman.ListJSON(env.Stdout, all)
	}
	if err := c.Keeps(ctx, all); err != nil {
		return asBarman(err)
	}
	return barman.List(env.Stdout, all)
}

// backupShow is "pgseal backup-show".
func backupShow(ctx context.Context, v *option.Values, env *Env) error {
	c, done, err := openCatalogue(ctx, v)
	if done || err != nil {
		return err
	}
	b, err := findBackup(ctx, c, v)
	if err != nil {
		return asBarman(err)
	}
	if v.String("format") == "json" {
		return barman.ShowJSON(env.Stdout, b)
	}
	return barman.Show(env.Stdout, b)
}

// checkWALArchive is "pgseal check-wal-archive".
func checkWALArchive(ctx context.Context, v *option.Values, env *Env) error {
	c := barman.Catalogue{Server: v.Arg("SERVER")}
	var err error
	if err = layout.CheckServer(c.Server); err != nil {
		return option.Errorf("%v", err)
	}
	if c.Vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return err
	}
	timeline, _ := strconv.ParseUint(v.String("timeline"), 10, 32) // was checked
	switch err := c.CheckWALArchive(ctx, uint32(timeline)); {
	case v.Bool("test") && errors.Is(err, barman.ErrInUse):
		return nil
	case errors.Is(err, barman.ErrInUse):
		return &exitError{exitFailed, err}
	default:
		return asBarman(err)
	}
}

// openCatalogue opens the vault for a command that needs it to be there. done: --test was asked for, and all is well.
func openCatalogue(ctx context.Context, v *option.Values) (c barman.Catalogue, done bool, err error) {
	c.Server = v.Arg("SERVER")
	if err := layout.CheckServer(c.Server); err != nil {
		return c, false, option.Errorf("%v", err)
	}
	if c.Vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return c, false, err
	}
	for _, err := range c.Vault.List(ctx, layout.BaseDir(c.Server)) {
		switch {
		case v.Bool("test") && errors.Is(err, bucket.ErrNotFound): // it answers
		case errors.Is(err, bucket.ErrNotFound):
			return c, false, &exitError{exitFailed, err}
		case err != nil:
			return c, false, asBarman(err)
		}
		break
	}
	return c, v.Bool("test"), nil
}

// findBackup reads the backup that BACKUP_ID means.
func findBackup(ctx context.Context, c barman.Catalogue, v *option.Values) (barman.Backup, error) {
	id, err := c.Find(ctx, v.Arg("BACKUP_ID"))
	if err != nil {
		return barman.Backup{}, err
	}
	b, err := c.Backup(ctx, id)
	if errors.Is(err, bucket.ErrNotFound) {
		return b, &exitError{exitFailed, fmt.Errorf("backup %s for server %s does not exist: %w", id, c.Server, err)}
	}
	return b, err
}

// asBarman gives errors the exit codes that barman-cloud's commands for the catalogue have: 1 for what they looked for and
// did not find so, 2 for a store that does not answer, 4 for all else.
func asBarman(err error) error {
	var own *exitError
	var usage *option.Error
	switch {
	case err == nil, errors.As(err, &own), errors.As(err, &usage), errors.Is(err, context.Canceled):
		return err
	case bucket.Retryable(err):
		return &exitError{exitNetwork, err}
	}
	return &exitError{exitInternal, err}
}
