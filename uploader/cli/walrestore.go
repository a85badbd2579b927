package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
	"github.com/pgseal/pgseal/uploader/walrestore"
)

// standbyRetry bounds the tries on a standby: PostgreSQL asks again by itself every few seconds, and tries to stream in
// between.
const standbyRetry = 30 * time.Second

// walRestore is "pgseal wal-restore". Its exit code is 1 for a file that is proved not to be there, on a standby also for
// one that cannot be read; 3 for a name that PostgreSQL never asks for; 255 for all else, other mistakes in the arguments
// among it.
func walRestore(ctx context.Context, v *option.Values, env *Env) error {
	// A panic in another goroutine, or a SIGQUIT, would end the program with Go's code 2. It has to be a signal.
	debug.SetTraceback("crash")
	r := walrestore.Request{
		Server: v.Arg("SERVER"), Name: v.Arg("WAL_NAME"), To: v.Arg("WAL_DEST"),
		NoPartial: v.Bool("no-partial"), Spool: v.String("spool-directory"), Ahead: v.Int("prefetch"), RetryFor: v.Duration("retry-timeout"), Log: env.Log,
	}
	if err := walrestore.CheckName(r.Name); err != nil && !v.Bool("test") {
		return &exitError{exitUsage, err}
	}
	if err := layout.CheckServer(r.Server); err != nil {
		return option.Errorf("%v", err)
	}
	var err error
	if r.Bucket, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return err
	}
	if v.Bool("test") {
		return testRead(ctx, r.Bucket, layout.WALDir(r.Server))
	}
	standby := isStandby(r.To)
	if standby {
		r.RetryFor = min(r.RetryFor, standbyRetry)
	}
	err = walrestore.Restore(ctx, r)
	switch {
	case errors.Is(err, walrestore.ErrNotThere):
		env.Log.Info("not in the archive", "server", r.Server, "name", r.Name)
		return &exitError{code: exitFailed}
	case err != nil && standby:
		return &exitError{exitFailed, err}
	}
	return err
}

// isStandby tells whether the server that recovers is a standby. PostgreSQL runs restore_command in its data directory,
// and %p is relative to it.
func isStandby(to string) bool {
	for _, dir := range []string{".", filepath.Join(filepath.Dir(to), "..")} {
		if _, err := os.Lstat(filepath.Join(dir, "standby.signal")); err == nil {
			return true
		}
	}
	return false
}

// testRead is --test of a command that only reads: exit code 2 when the store does not answer, 1 when it does and
// refuses.
func testRead(ctx context.Context, b bucket.Bucket, prefix string) error {
	for _, err := range b.List(ctx, prefix) {
		switch {
		case bucket.Retryable(err):
			return &exitError{exitNetwork, err}
		case err != nil:
			return &exitError{exitFailed, err}
		}
		break
	}
	return nil
}
