package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/version"
	basebackup "github.com/pgseal/pgseal/uploader/backup"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/store"
)

// backup is "pgseal backup".
func backup(ctx context.Context, v *option.Values, env *Env) error {
	c, judge, err := backupConfig(ctx, v, env)
	if err != nil {
		return err
	}
	if v.Bool("test") {
		return testBackupStores(ctx, c)
	}
	frugal(c.Jobs)
	line, log := startProgressLine(env, "copying", c.Server, c.Progress.Copying.Load, func(took time.Duration) string { return progressText(c.Progress, took) })
	c.Log = log
	res, err := basebackup.Run(ctx, c)
	line.stop()
	if err != nil {
		return backupFailed(ctx, err)
	}
	return seal(ctx, v, env, c, judge, res)
}

// backupFailed is the one line for a backup that did not come to be.
func backupFailed(ctx context.Context, err error) error {
	var failed *basebackup.Error
	if errors.As(err, &failed) && ctx.Err() != nil { // the signal is named already
		return fmt.Errorf("backup %s is given up; its record in staging says FAILED", failed.ID)
	}
	return err
}

// backupConfig joins the options to what a backup needs.
func backupConfig(ctx context.Context, v *option.Values, env *Env) (c basebackup.Config, judge finalizer.Config, err error) {
	getenv := func(name string) string { value, _ := env.Lookup(name); return value }
	if judge, err = finalizer.ConfigFromEnv(getenv); err != nil {
		return c, judge, option.Errorf("%v", err)
	}
	c = basebackup.Config{
		Server: v.Arg("SERVER"), Name: v.String("name"),
		Postgres: postgres.Options{Host: v.String("host"), Port: v.String("port"), User: v.String("user"), DBName: v.String("dbname")},
		Fast:     v.Bool("immediate-checkpoint"), Primary: v.String("primary-conninfo"),
		Jobs: v.Int("jobs"), ArchiveSize: v.Size("max-archive-size"), MinPart: v.Size("min-chunk-size"), Bandwidth: v.Size("max-bandwidth"),
		Tags: store.Tags(v, "tags"), RetainUntil: wholeSecond(store.RetainUntil(v, env.Now())),
		NoBackupManifest: v.Bool("no-backup-manifest"), RequireLock: v.Bool("require-lock"), CheckWAL: judge.CheckWAL(v.Arg("SERVER")),
		Uploader: "pgseal " + version.String(), PID: os.Getpid(), Now: env.Now, Nonce: rand.Text, Log: env.Log, Progress: &basebackup.Progress{},
	}
	if err := layout.CheckServer(c.Server); err != nil {
		return c, judge, option.Errorf("%v", err)
	}
	if c.Codec, c.Level, err = compression(v); err != nil {
		return c, judge, err
	}
	if c.Host, err = os.Hostname(); err != nil {
		return c, judge, err
	}
	if v.String("staging-url") == "" {
		return c, judge, option.Errorf("--staging-url (or PGSEAL_STAGING_URL) is missing: a bucket or path besides the vault, without retention, where the backup is announced")
	}
	c.Vault, c.Staging, err = openPlaces(ctx, v)
	return c, judge, err
}

// openPlaces opens vault and staging; directories are made on their first use.
func openPlaces(ctx context.Context, v *option.Values) (vault, staging bucket.Bucket, err error) {
	if vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return nil, nil, err
	}
	if staging, err = store.Open(ctx, v.String("staging-url"), v); err != nil {
		return nil, nil, err
	}
	if err := store.Apart(vault, staging); err != nil {
		return nil, nil, err
	}
	if _, err := store.MakeVault(vault.URL(), staging.URL(), v.Duration("retention")); err != nil {
		return nil, nil, err
	}
	_, err = store.MakeStaging(staging.URL())
	return vault, staging, err
}

// wholeSecond rounds up: stores keep no fractions.
func wholeSecond(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if r := t.UTC().Truncate(time.Second); r.Before(t) {
		return r.Add(time.Second)
	}
	return t.UTC()
}

// testBackupStores is --test.
func testBackupStores(ctx context.Context, c basebackup.Config) error {
	err := c.CheckStores(ctx)
	if bucket.Retryable(err) {
		return &exitError{exitNetwork, err}
	}
	return err
}

// frugal keeps the process small beside the server it backs up: no more
// processors than jobs, and a tight heap, whose bulk are the parts in flight.
func frugal(jobs int) {
	if jobs < runtime.GOMAXPROCS(0) && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(jobs)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
}

// isFile tells whether a vault is a directory here.
func isFile(b bucket.Bucket) bool { return strings.HasPrefix(b.URL(), "file:") }
