package barman

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Limits of a catalogue that is read.
const (
	maxBackups = 20_000
	maxKeep    = 64 // bytes of an annotation; barman writes "full" or "standalone"
	parallel   = 16
)

// Catalogue is what one server has in a vault.
type Catalogue struct {
	Vault  bucket.Bucket
	Server string
}

// Backup is one backup.info.
type Backup struct {
	ID     string
	Fields backupinfo.Fields
	Info   backupinfo.Info
	Keep   Keep // filled in by Keeps
}

// Done tells whether the backup is complete.
func (b Backup) Done() bool { return b.Fields.Text("status") == backupinfo.Done }

// Keep is barman's annotation that a backup is to be kept.
type Keep struct {
	Kept   bool
	Target string // "full" or "standalone" if barman or pgseal wrote it
}

// Standalone tells whether the backup is kept without the WAL that follows it. Anything else that is kept is kept with
// all of it.
func (k Keep) Standalone() bool { return k.Kept && k.Target == "standalone" }

// Unreadable is a backup.info that is there and says nothing.
type Unreadable struct {
	ID  string
	Err error
}

// Backups reads every backup.info of the server, in the order of the ids. What is no backup.info is told apart; what the
// store does not let see is an error, as the rest would be taken for all.
func (c Catalogue) Backups(ctx context.Context) (all []Backup, unreadable []Unreadable, err error) {
	var ids []string
	for name, err := range c.Vault.Dirs(ctx, layout.BaseDir(c.Server)) {
		if err != nil {
			return nil, nil, fmt.Errorf("list the backups: %w", err)
		}
		if ids = append(ids, name); len(ids) > maxBackups {
			return nil, nil, fmt.Errorf("%s/%s has more than %d directories", c.Vault.URL(), layout.BaseDir(c.Server), maxBackups)
		}
	}
	slices.Sort(ids)
	found, errs := make([]Backup, len(ids)), make([]error, len(ids))
	each(len(ids), func(i int) { found[i], errs[i] = c.Backup(ctx, ids[i]) })
	for i, err := range errs {
		switch {
		case errors.Is(err, backupinfo.ErrFormat), errors.Is(err, bucket.ErrTooLarge):
			unreadable = append(unreadable, Unreadable{ids[i], err})
		case errors.Is(err, bucket.ErrNotFound): // an upload that runs, leftovers, or somebody else's directory
		case err != nil:
			return nil, nil, err
		default:
			all = append(all, found[i])
		}
	}
	return all, unreadable, nil
}

// Backup reads one. bucket.ErrNotFound: there is none. backupinfo.ErrFormat: it cannot be read.
func (c Catalogue) Backup(ctx context.Context, id string) (Backup, error) {
	key := layout.BackupInfo(c.Server, id)
	body, _, err := bucket.ReadAll(ctx, c.Vault, key, "", backupinfo.MaxBytes)
	if err != nil {
		return Backup{}, err
	}
	b := Backup{ID: id}
	if b.Fields, err = backupinfo.ParseFields(body); err == nil {
		b.Info, err = backupinfo.Parse(body)
	}
	if err != nil {
		return Backup{}, fmt.Errorf("%s/%s: %w", c.Vault.URL(), key, err)
	}
	return b, nil
}

// Keeps reads the annotations of complete backups into them; nobody can keep others.
func (c Catalogue) Keeps(ctx context.Context, all []Backup) error {
	errs := make([]error, len(all))
	each(len(all), func(i int) {
		if all[i].Done() {
			all[i].Keep, errs[i] = c.Keep(ctx, all[i].ID)
		}
	})
	return errors.Join(errs...)
}

// Keep reads the annotation of one backup, complete or not.
func (c Catalogue) Keep(ctx context.Context, id string) (Keep, error) {
	body, _, err := c.Vault.Open(ctx, layout.Keep(c.Server, id), "", 0, maxKeep)
	if errors.Is(err, bucket.ErrNotFound) {
		return Keep{}, nil
	} else if err != nil {
		return Keep{}, err
	}
	text, err := io.ReadAll(io.LimitReader(body, maxKeep))
	if err = errors.Join(err, body.Close()); err != nil {
		return Keep{}, fmt.Errorf("read %s: %w", layout.Keep(c.Server, id), err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return Keep{Kept: true, Target: printable(strings.TrimSpace(line))}, nil
}

// each calls f for 0 to n-1, some at a time.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	free := make(chan struct{}, parallel)
	for i := range n {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			f(i)
		})
	}
	wg.Wait()
}
