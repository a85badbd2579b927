package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

// walArchiveLimit ends an attempt to archive a file. PostgreSQL has no limit of its own: an archive_command that hangs
// stops all archiving without a word, one that fails is told in pg_stat_archiver and is called again.
const walArchiveLimit = 10 * time.Minute

// walArchive is "pgseal wal-archive".
func walArchive(ctx context.Context, v *option.Values, env *Env) error {
	r := walarchive.Request{
		Server: v.Arg("SERVER"), Path: v.Arg("WAL_PATH"),
		RetainUntil: wholeSecond(store.RetainUntil(v, env.Now())), Tags: store.Tags(v, "tags"), Log: env.Log,
	}
	if err := layout.CheckServer(r.Server); err != nil {
		return option.Errorf("%v", err)
	}
	var err error
	if r.Codec, r.Level, err = compression(v); err != nil {
		return err
	}
	if r.Path == "" { // called by barman as a pre_archive_retry_script (barman-cloud-wal-archive(1))
		r.Path, _ = env.Lookup("BARMAN_FILE")
	}
	if !v.Bool("test") {
		if r.Path == "" {
			return option.Errorf("the following arguments are required: WAL_PATH; see %s --help", env.Prog)
		}
		if err := walarchive.CheckName(r.Path); err != nil {
			return option.Errorf("%v", err)
		}
	}
	if r.Bucket, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return err
	}
	r.Parts = store.Parts(v.Arg("URL"), v)
	ctx, cancel := context.WithTimeoutCause(ctx, walArchiveLimit, fmt.Errorf("given up after %v", walArchiveLimit))
	defer cancel()
	if v.Bool("test") {
		return testStore(ctx, r.Bucket, layout.WAL(r.Server, "000000010000000000000001", r.Codec.Suffix))
	}
	if layout.KindOfWAL(filepath.Base(r.Path)) == layout.WALHistory && v.Set("history-tags") {
		r.Tags = store.Tags(v, "history-tags")
	}
	done, err := walarchive.Archive(ctx, r)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case err != nil:
		return err
	case done.Already:
		env.Log.Info("already archived, with the same content", "server", r.Server, "key", done.Key)
	default:
		env.Log.Debug("archived", "server", r.Server, "key", done.Key)
	}
	return nil
}

// compression is what the options of an uploading command ask for. As in barman, a level without a compression means
// nothing.
func compression(v *option.Values) (codec.Codec, codec.Level, error) {
	c, err := codec.ByName(v.Chosen("compression"))
	if err != nil || c == codec.None {
		return codec.None, codec.Default, err
	}
	level, err := codec.ParseLevel(v.String("compression-level"))
	if err == nil {
		err = c.Check(level)
	}
	if err != nil {
		return codec.None, codec.Default, option.Errorf("argument --compression-level: %v", err)
	}
	return c, level, nil
}

// testStore is --test: exit code 2 when the store does not answer, 1 when it does and refuses. It proves that key could
// be created, and stores nothing.
func testStore(ctx context.Context, b bucket.Bucket, key string) error {
	err := b.CheckCreate(ctx, key)
	if bucket.Retryable(err) {
		return &exitError{exitNetwork, err}
	}
	return err
}
