package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
)

const day = 24 * time.Hour

// catalogue looks at what is sealed and archived.
func (l *look) catalogue(ctx context.Context) {
	r := catalog.Reader{Vault: l.Vault, Server: l.Server, AbandonAfter: l.AbandonAfter, Decompress: l.Decompress, Now: l.Now}
	if l.lines[checkStaging].State != Critical {
		r.Staging = l.Staging
		l.sweep(ctx)
	}
	c, err := r.Read(ctx)
	if err != nil {
		l.failed(checkSealAge, err, "try again")
		l.failed(checkWAL, err, "let the host list the WAL archive")
		return
	}
	l.sealAge(c)
	l.wal(c)
	l.window(c)
	l.encryption(ctx, c)
}

func (l *look) sealAge(c *catalog.Catalog) {
	status := fmt.Sprintf("pgseal status --staging-url %s %s %s", l.Staging.URL(), l.Vault.URL(), l.Server)
	switch n := c.Newest; {
	case n == nil:
		l.say(checkSealAge, Critical, "no backup of this server is sealed", "take one with pgseal backup, and see what became of it: "+status)
	case c.At.Sub(n.Time) > l.MaxAge:
		l.say(checkSealAge, Critical, fmt.Sprintf("the newest sealed backup, %s, ended %s ago, and --max-age is %s", n.BackupID, catalog.Ago(c.At.Sub(n.Time)), catalog.Ago(l.MaxAge)), "see what became of the last ones: "+status)
	default:
		l.ok(checkSealAge, "%s ended %s ago", n.BackupID, catalog.Ago(c.At.Sub(n.Time)))
	}
}

func (l *look) wal(c *catalog.Catalog) {
	gap, id := "", ""
	for _, b := range c.Backups {
		if c.Newest != nil && b.ID == c.Newest.BackupID && b.Window != nil {
			gap, id = b.Window.Gap, b.ID
		}
	}
	switch {
	case c.WAL == nil:
		l.say(checkWAL, Critical, "the archive can be listed, and has no WAL", "set archive_command to pgseal wal-archive, and look at the server's log")
	case gap != "":
		l.say(checkWAL, Critical, fmt.Sprintf("WAL is missing from %s on: no restore of %s goes past that", gap, id), "look at archive_command and pg_stat_archiver; take a new backup")
	default:
		l.ok(checkWAL, "the newest segment, %s, came %s ago", c.WAL.Segment, catalog.Ago(c.At.Sub(c.WAL.Time)))
	}
}

// window holds the lock against what it has to cover: the window, the longest time
// between two seals, and the duration of a backup (docs/trust.md).
func (l *look) window(c *catalog.Catalog) {
	lock := l.lock.Default
	gap, took := rhythm(c)
	for _, b := range c.Backups {
		if lock == 0 && b.State == catalog.Sealed && b.LockedUntil != nil && b.SealedAt != nil {
			lock = b.LockedUntil.Sub(*b.SealedAt) // as long as this one asked for
		}
	}
	left := lock - gap - took
	need := fmt.Sprintf("seals come every %s at the worst, and a backup takes up to %s", catalog.Ago(gap), catalog.Ago(took))
	next := fmt.Sprintf("lock for the window, the longest time between two seals and the duration of a backup: %s at least", catalog.Ago(l.Window+gap+took))
	switch {
	case c.Newest == nil:
		l.unseen(checkWindow, "nothing is sealed yet; see seal-age")
	case lock == 0 && (!l.locked || l.lines[checkLock].State != OK):
		l.unseen(checkWindow, "it is not known for how long objects are kept; see lock")
	case l.Window > 0 && left < l.Window:
		l.say(checkWindow, Critical, fmt.Sprintf("a lock of %s does not cover a window of %s: %s", catalog.Ago(lock), catalog.Ago(l.Window), need), next)
	case left <= 0:
		l.say(checkWindow, Warning, fmt.Sprintf("a lock of %s promises no point in time: %s", catalog.Ago(lock), need), next)
	default:
		l.ok(checkWindow, "a lock of %s keeps the last %s restorable: %s", catalog.Ago(lock), catalog.Ago(left), need)
	}
}

// rhythm is the longest time between two seals, the one since the newest included,
// and the longest that a backup took.
func rhythm(c *catalog.Catalog) (gap, took time.Duration) {
	last := c.At
	for _, b := range c.Backups { // newest first
		if b.State != catalog.Sealed || b.End == nil {
			continue
		}
		gap, last = max(gap, last.Sub(*b.End)), *b.End
		if b.Begin != nil {
			took = max(took, b.End.Sub(*b.Begin))
		}
	}
	return gap, took
}

// encryption looks at the newest sealed backup's manifest, which the host may read.
func (l *look) encryption(ctx context.Context, c *catalog.Catalog) {
	if c.Newest == nil {
		l.unseen(checkEncryption, "nothing is sealed yet; see seal-age")
		return
	}
	obj, err := l.Vault.Stat(ctx, layout.Manifest(l.Server, c.Newest.BackupID), "")
	if errors.Is(err, bucket.ErrNotFound) {
		l.unseen(checkEncryption, "the newest sealed backup has no manifest any more")
		return
	}
	if err != nil {
		l.failed(checkEncryption, err, "let the host read its own objects")
		return
	}
	have := obj.Encryption
	if have == "" {
		have = "the store's default"
	}
	if p := finalizer.Encrypted(l.Encryption, obj); p.Code != "" {
		l.say(checkEncryption, Critical, fmt.Sprintf("new objects are encrypted with %s, and PGSEAL_VAULT_ENCRYPTION asks for %s: the finalizer rejects such backups", have, strings.Join(l.Encryption, ", ")), "correct the bucket's default, --encryption, or the variable")
		return
	}
	l.ok(checkEncryption, "new objects are encrypted with %s", have)
}

// sweep looks for the newest sign of a sweep: every run writes its cursor.
func (l *look) sweep(ctx context.Context) {
	for obj, err := range l.Staging.List(ctx, layout.SweepCursor) {
		if err != nil {
			l.failed(checkSweep, err, "let the host list staging")
			return
		}
		if age := l.Now().Sub(obj.Created); age > day {
			l.say(checkSweep, Warning, fmt.Sprintf("it ran last %s ago: lost events stay lost, and nobody audits what is sealed", catalog.Ago(age)), "look at the function's schedule and its log, or at the cron job of pgseal sweep")
		} else {
			l.ok(checkSweep, "it ran last %s ago", catalog.Ago(age))
		}
		return
	}
	l.unseen(checkSweep, "no run of the sweep has left a sign in staging yet: schedule it every 15 minutes")
}
