package walarchive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
)

// Conflict: the archive holds a file of this name with other content. It is left untouched, and calling again does not
// help.
type Conflict struct {
	Path, Digest string        // of the local file
	URL          string        // of the object
	Object       bucket.Object // with its date and its retention
	Archived     string        // the object's digest, or what is wrong with its content
	OtherCluster bool          // the object is known to be of a cluster with another system identifier
}

func (c *Conflict) Error() string {
	lock := "its lock cannot be seen with these credentials"
	switch {
	case !c.Object.RetainUntil.IsZero():
		lock = "locked until " + c.Object.RetainUntil.UTC().Format(time.DateTime) + "Z"
	case c.Object.RetentionSeen:
		lock = "not locked"
	}
	other := ""
	if c.OtherCluster {
		other = " by another cluster (another system identifier)"
	}
	return fmt.Sprintf("%s holds other content than %s: SHA-256 %s, archived %sZ%s, %s; the file's SHA-256 is %s; nothing was changed",
		c.URL, c.Path, c.Archived, c.Object.Created.UTC().Format(time.DateTime), other, lock, c.Digest)
}

// Hint is the way out. PostgreSQL chooses a timeline that is free in the archive only when it can look there
// (restore_command) as it ends recovery.
func (c *Conflict) Hint() string {
	return "Two servers archive to one place, or this one was restored or promoted without a look at the archive. " +
		"If this server is only a copy: turn its archive_mode off, or give it a SERVER name of its own. " +
		"If this server is to go on: set restore_command to read this archive, create recovery.signal in its data directory and restart it; " +
		"it then goes on with the next free timeline."
}

// compare is nil when the object at key has the file's content; *Conflict when it has another.
func (r Request) compare(ctx context.Context, f *file, key string) error {
	obj, err := r.Bucket.Stat(ctx, key, "")
	if err != nil {
		return err
	}
	archived := obj.Metadata[DigestKey]
	if archived == "" { // not put there by pgseal
		if archived, err = r.contentDigest(ctx, f, obj); err != nil {
			return err
		}
	}
	if archived == f.digest() {
		return nil
	}
	id := obj.Metadata[systemIDKey]
	return &Conflict{
		Path: f.path, Digest: f.digest(), URL: r.Bucket.URL() + "/" + key, Object: obj, Archived: archived,
		OtherCluster: id != "" && f.systemID != "" && id != f.systemID,
	}
}

// contentDigest downloads the object and returns the digest of what it holds, or a text that is no digest when that
// cannot be the file: it reads no more than the file's size and one byte.
func (r Request) contentDigest(ctx context.Context, f *file, obj bucket.Object) (string, error) {
	in, _, err := r.Bucket.Open(ctx, obj.Key, obj.Version, 0, -1)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	n := int64(0)
	content, err := codec.BySuffix(obj.Key).NewReader(in)
	if err == nil {
		defer content.Close()
		n, err = io.Copy(sum, io.LimitReader(content, f.size+1))
	}
	switch {
	case errors.Is(err, codec.ErrCorrupt):
		return fmt.Sprintf("unknown, as it cannot be decompressed (%v)", err), nil
	case err != nil:
		return "", fmt.Errorf("read %s/%s: %w", r.Bucket.URL(), obj.Key, err)
	case n > f.size:
		return fmt.Sprintf("not computed, as it holds more than %d bytes", f.size), nil
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
