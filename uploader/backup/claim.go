package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// maxClaims: ids are seconds, and an hour of them may be taken twice when
// summer time ends; but hardly this many in a row.
const maxClaims = 300

// claim takes the backup's id: the first second from now for which staging
// takes a new record and the vault holds nothing. The record is created, never
// replaced, so that of two backups that begin in one second each gets its own.
func (r *run) claim(ctx context.Context) error {
	r.mark = fmt.Sprintf("pgseal claim: host %s pid %d nonce %s", r.Host, r.PID, r.Nonce())
	for n := range maxClaims {
		id := layout.BackupID(r.began.Add(time.Duration(n) * time.Second))
		free, err := empty(ctx, r.Vault, layout.BackupDir(r.Server, id))
		if err != nil {
			return fmt.Errorf("claim backup id %s: %w", id, err)
		}
		if !free {
			continue
		}
		body, err := backupinfo.Render(r.info(backupinfo.Started, ""))
		if err != nil {
			return fmt.Errorf("the facts of this server: %w", err)
		}
		_, err = bucket.CreateOrMatch(ctx, r.Staging, layout.BackupInfo(r.Server, id), body, bucket.CreateOptions{})
		switch {
		case err == nil:
			r.id = id
			return r.checkClock(ctx)
		case !errors.Is(err, bucket.ErrDiffers):
			return fmt.Errorf("claim backup id %s: %w", id, err)
		}
	}
	return fmt.Errorf("the %d backup ids from %s on are taken: is the clock right?", maxClaims, layout.BackupID(r.began))
}

// A clock that is off by more than maxSkew gives the finalizer times that
// contradict the store's (it allows 14 hours for zones); from noteSkew on it is
// worth a word.
const (
	noteSkew = time.Minute
	maxSkew  = 6 * time.Hour
)

// checkClock compares this host's clock with the time at which the store got
// the claim.
func (r *run) checkClock(ctx context.Context) error {
	obj, err := r.Staging.Stat(ctx, layout.BackupInfo(r.Server, r.id), "")
	if err != nil {
		return fmt.Errorf("read the claim of backup id %s back: %w", r.id, err)
	}
	skew := r.Now().Sub(obj.Created).Round(time.Second)
	switch {
	case skew.Abs() > maxSkew:
		return fmt.Errorf("%w: this host's clock is %s off the store's: backup ids and times would be wrong; set the clock", ErrRefused, skew)
	case skew.Abs() > noteSkew:
		r.Log.Warn("this host's clock and the store's differ", "seconds", skew.Seconds())
	}
	return nil
}
