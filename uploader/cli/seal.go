package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/version"
	basebackup "github.com/pgseal/pgseal/uploader/backup"
	"github.com/pgseal/pgseal/uploader/option"
)

// newFinalizer is the finalizer inside this process.
func newFinalizer(env *Env, vault, staging bucket.Bucket, config finalizer.Config) *finalizer.Finalizer {
	return &finalizer.Finalizer{
		Vault: vault, Staging: staging, Config: config,
		Decompress: codec.Decompress,
		Now:        env.Now, Build: "pgseal " + version.String(), Log: env.Log,
	}
}

// seal has a complete backup sealed here, waits for the finalizer elsewhere, or
// leaves it to that, as the options say; and says in one line what came of it.
func seal(ctx context.Context, v *option.Values, env *Env, c basebackup.Config, judge finalizer.Config, res basebackup.Result) error {
	look := fmt.Sprintf("pgseal status --staging-url %s %s %s", c.Staging.URL(), c.Vault.URL(), c.Server)
	who := v.String("finalizer")
	wait := env.AsBarman
	if v.Set("wait") {
		wait = v.Bool("wait")
	}
	var verdict finalizer.Verdict
	var err error
	switch {
	case who == "embedded" || who == "" && isFile(c.Vault):
		verdict, err = basebackup.Seal(ctx, *newFinalizer(env, c.Vault, c.Staging, judge), c.Server, res.ID, v.Duration("wal-timeout"))
	case wait:
		verdict, err = c.Await(ctx, res, v.Duration("wait-timeout"), v.Duration("wal-timeout"))
	default:
		fmt.Fprintf(env.Stdout, "backup %s is complete, and not sealed yet: %s\nlook at it with: %s\n", res.ID, summary(res), look)
		return nil
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("backup %s is complete, but was not seen to be sealed; look at it with: %s", res.ID, look)
	case errors.Is(err, basebackup.ErrNoVerdict):
		return &exitError{exitTimedOut, fmt.Errorf("backup %s is complete, but the finalizer has not answered within %v: is it there, and woken by markers? look again with: %s", res.ID, v.Duration("wait-timeout"), look)}
	case err != nil:
		return fmt.Errorf("backup %s is complete, but its seal is uncertain: %w; look at it with: %s", res.ID, err, look)
	case verdict.State == finalizer.Sealed:
		fmt.Fprintf(env.Stdout, "backup %s is sealed: %s\n", res.ID, summary(res))
		return nil
	}
	return unsealed(res.ID, verdict, look)
}

// unsealed is the error, with its exit code, for any other verdict.
func unsealed(id string, v finalizer.Verdict, look string) error {
	code := exitFailed
	switch v.State {
	case finalizer.Waiting:
		code = exitWaiting
	case finalizer.Rejected:
		code = exitRejected
	case finalizer.Conflict:
		code = exitConflict
	}
	var reasons []string
	for _, r := range v.Reasons[:min(len(v.Reasons), 3)] {
		reasons = append(reasons, r.Text)
	}
	return &exitError{code, fmt.Errorf("backup %s is not sealed: %s: %s; look at it with: %s", id, v.State, strings.Join(reasons, "; "), look)}
}

func summary(r basebackup.Result) string {
	return fmt.Sprintf("%d archives, %d bytes of %d read from %d files, in %s", r.Objects, r.Stored, r.Read, r.Files, r.Took.Round(100*time.Millisecond))
}
