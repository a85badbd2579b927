package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Limits of a catalogue that is looked through.
const (
	maxBackups = 10_000
	readers    = 16
)

// entry is one backup of the catalogue.
type entry struct {
	id   string
	info backupinfo.Info
	err  error // why its backup.info cannot be read; bucket.ErrNotFound when there is none
}

func (e entry) done() bool { return e.err == nil && e.info.Status == backupinfo.Done }

// choose finds the id of the backup that is meant. Only complete ones count: barman's latest and auto also take those
// that run or have failed (3.17, tried).
func (c Config) choose(ctx context.Context) (string, error) {
	if _, err := layout.ParseBackupID(c.Backup); err == nil {
		return c.Backup, nil
	}
	all, err := c.catalogue(ctx)
	if err != nil {
		return "", err
	}
	switch c.Backup {
	case "latest", "last", "auto", "latest-full", "last-full":
		return c.newest(all)
	case "oldest", "first":
		for _, e := range all {
			if e.done() {
				return e.id, c.fits(e)
			}
		}
		return "", fmt.Errorf("%w: server %s has none that is complete in %s", ErrNoBackup, c.Server, c.Vault.URL())
	case "last-failed":
		return "", fmt.Errorf("%w: a failed backup cannot be restored", ErrNoBackup)
	}
	var ids []string
	for _, e := range all {
		if e.err == nil && e.info.BackupName == c.Backup {
			ids = append(ids, e.id)
		}
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("%w: server %s has none with the id or name %q in %s; pgseal status lists them", ErrNoBackup, c.Server, c.Backup, c.Vault.URL())
	case 1:
		return ids[0], nil
	}
	return "", fmt.Errorf("%w: several have the name %q; give one of the ids %s", ErrNoBackup, c.Backup, strings.Join(ids, ", "))
}

// newest is the complete backup that ended last and before the target.
func (c Config) newest(all []entry) (string, error) {
	var best *entry
	for i, e := range all {
		if e.done() && c.fits(e) == nil && (best == nil || !e.info.EndTime.Before(best.info.EndTime)) {
			best = &all[i]
		}
	}
	if best == nil {
		if c.Target.set() {
			return "", fmt.Errorf("%w: server %s has none that is complete and ends before the target in %s", ErrNoBackup, c.Server, c.Vault.URL())
		}
		return "", fmt.Errorf("%w: server %s has none that is complete in %s", ErrNoBackup, c.Server, c.Vault.URL())
	}
	for _, e := range all {
		if e.id > best.id && !e.done() && !errors.Is(e.err, bucket.ErrNotFound) {
			c.Log.Warn("passed over: it is not complete", "backup_id", e.id, "status", e.info.Status, "error", e.err)
		}
	}
	return best.id, nil
}

// fits tells why recovery from the backup cannot end at the target: it has to go through the backup's own end.
func (c Config) fits(e entry) error {
	t, i := c.Target, e.info
	switch n, _ := strconv.ParseUint(t.Timeline, 10, 32); {
	case !t.Time.IsZero() && i.EndTime.After(t.Time):
		return fmt.Errorf("%w: backup %s ended %s, after it; an older backup may do (latest chooses one)", ErrTarget, e.id, i.EndTime.UTC().Format("2006-01-02 15:04:05Z"))
	case t.LSN != 0 && i.EndLSN > t.LSN:
		return fmt.Errorf("%w: backup %s ended at %s, after it; an older backup may do (latest chooses one)", ErrTarget, e.id, i.EndLSN)
	case n > 0 && uint64(i.Timeline) > n:
		return fmt.Errorf("%w: backup %s is of timeline %d, after it", ErrTarget, e.id, i.Timeline)
	}
	return nil
}

// catalogue reads every backup.info, oldest backup first.
func (c Config) catalogue(ctx context.Context) ([]entry, error) {
	var all []entry
	for name, err := range c.Vault.Dirs(ctx, layout.BaseDir(c.Server)) {
		if err != nil {
			return nil, fmt.Errorf("list the backups: %w", err)
		}
		if _, err := layout.ParseBackupID(name); err == nil {
			all = append(all, entry{id: name})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	if len(all) > maxBackups {
		all = all[len(all)-maxBackups:]
	}
	var group sync.WaitGroup
	free := make(chan struct{}, readers)
	for i := range all {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			all[i].info, all[i].err = c.readInfo(ctx, all[i].id)
		})
	}
	group.Wait()
	for _, e := range all {
		if bucket.Retryable(e.err) || errors.Is(e.err, bucket.ErrDenied) || ctx.Err() != nil {
			return nil, e.err // a backup that cannot be seen must not make an older one the latest
		}
	}
	return all, nil
}

func (c Config) readInfo(ctx context.Context, id string) (backupinfo.Info, error) {
	body, _, err := bucket.ReadAll(ctx, c.Vault, layout.BackupInfo(c.Server, id), "", backupinfo.MaxBytes)
	if err != nil {
		return backupinfo.Info{}, err
	}
	return backupinfo.Parse(body)
}
