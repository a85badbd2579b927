package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

// Limits of what is read of one server; who writes to a vault can write a lot.
const (
	maxBackups = 10_000
	maxObjects = 20_000 // listed of one backup
	parallel   = 16
)

// Reader says where to look.
type Reader struct {
	Vault   bucket.Bucket
	Staging bucket.Bucket // nil: the vault alone
	Server  string
	// AbandonAfter is how old a heartbeat may be; 0 means finalizer.DefaultAbandonAfter.
	AbandonAfter time.Duration
	// Decompress gives the bytes inside r, compressed as the suffix (".gz", ...) says. Timeline history files may be.
	Decompress func(suffix string, r io.Reader) (io.ReadCloser, error)
	Now        func() time.Time
	// Flags are what every command needs besides the URLs to reach the same stores, such as --endpoint-url.
	Flags []string
}

// Read reads everything. An error means that a place as a whole could not be listed; what is wrong with a single record
// is told in its backup.
func (r Reader) Read(ctx context.Context) (*Catalog, error) {
	if err := layout.CheckServer(r.Server); err != nil {
		return nil, err
	}
	if r.AbandonAfter == 0 {
		r.AbandonAfter = finalizer.DefaultAbandonAfter
	}
	c := &Catalog{Format: 1, Server: r.Server, Vault: r.Vault.URL(), At: r.Now().UTC(), Backups: []Backup{}}
	if r.Staging != nil {
		c.Staging = r.Staging.URL()
	}
	found, notes, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, notes...)

	each(ctx, found, r.load)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	archive, err := r.readArchive(ctx, segmentSize(found))
	if err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, archive.notes...)
	for _, f := range found {
		b := r.classify(f, c.At)
		if b.State == Sealed {
			b.Window = archive.window(f.seal)
		}
		b.addDrill(f, c.At)
		b.Next = r.next(b)
		c.Backups = append(c.Backups, b)
	}
	c.Notes = append(c.Notes, drillNotes(found)...)
	c.summarize(archive)
	if r.Staging == nil {
		c.Notes = append(c.Notes, "without --staging-url only the vault was read: backups that run, failed, wait or were rejected cannot be told apart")
	}
	return c, nil
}

// list finds the ids of all backups in both places, newest first.
func (r Reader) list(ctx context.Context) (found []*records, notes []string, err error) {
	ids := map[string]*records{}
	strange := 0
	at := func(id string) *records {
		if _, err := layout.ParseBackupID(id); err != nil {
			strange++
			return &records{} // filled and forgotten
		}
		if ids[id] == nil {
			ids[id] = &records{id: id}
		}
		return ids[id]
	}
	for name, err := range r.Vault.Dirs(ctx, layout.BaseDir(r.Server)) {
		if err != nil {
			return nil, nil, fmt.Errorf("list the vault's backups: %w", err)
		}
		at(name).inVault = true
	}
	if strange > 0 {
		notes = append(notes, fmt.Sprintf("%d directories below %s/%s are no backups and are left out", strange, r.Vault.URL(), layout.BaseDir(r.Server)))
	}
	if r.Staging != nil {
		if err := r.listStaging(ctx, at); err != nil {
			return nil, nil, fmt.Errorf("list staging: %w", err)
		}
	}
	for _, f := range ids {
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b *records) int { return strings.Compare(b.id, a.id) })
	if len(found) > maxBackups {
		notes = append(notes, fmt.Sprintf("there are %d backups; the newest %d are shown", len(found), maxBackups))
		found = found[:maxBackups]
	}
	return found, notes, nil
}

func (r Reader) listStaging(ctx context.Context, at func(string) *records) error {
	for name, err := range r.Staging.Dirs(ctx, layout.BaseDir(r.Server)) {
		if err != nil {
			return err
		}
		at(name).inStaging = true
	}
	for dir, note := range map[string]func(*records, bucket.Object){
		layout.ProgressDir(r.Server): func(f *records, o bucket.Object) { f.progress = &o },
		layout.CompleteDir(r.Server): func(f *records, o bucket.Object) { f.marker = &o },
		layout.VerdictDir(r.Server):  func(f *records, o bucket.Object) { f.verdictObject = &o },
		layout.SweepDir(r.Server):    func(f *records, o bucket.Object) { f.sweepObject = &o },
		layout.DrillDir(r.Server):    func(f *records, o bucket.Object) { f.drillObject = &o },
	} {
		for obj, err := range r.Staging.List(ctx, dir) {
			if err != nil {
				return err
			}
			if id, ok := strings.CutSuffix(strings.TrimPrefix(obj.Key, dir), ".json"); ok && obj.Key != layout.SweepNotes(r.Server) {
				note(at(id), obj)
			}
		}
	}
	return nil
}

// each calls f for every item, some at a time, until the context ends.
func each[T any](ctx context.Context, items []T, f func(context.Context, T)) {
	var wg sync.WaitGroup
	free := make(chan struct{}, parallel)
	for _, item := range items {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			f(ctx, item)
		})
	}
	wg.Wait()
}

// absent tells whether there is simply nothing.
func absent(err error) bool { return errors.Is(err, bucket.ErrNotFound) }

// span is whole seconds, never negative: clocks differ.
func span(d time.Duration) int64 { return max(0, int64(d/time.Second)) }
