package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/archive"
	"github.com/pgseal/pgseal/uploader/backupmanifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// copier copies a plan into archives, with several workers that each fill an
// archive of their own from one queue of files.
type copier struct {
	plan     *pgdata.Plan
	options  *archive.Options
	jobs     int
	size     int64 // stored bytes after which an archive is full
	progress *Progress
	log      *slog.Logger

	files *backupmanifest.Builder // nil: nobody wants the list
	pages pgdata.Pages            // zero: the cluster has no checksums

	mu      sync.Mutex
	numbers map[string]int // by base: the next number
	objects []manifest.Object
	corrupt int64 // pages
}

// task is a batch of entries for one archive of base. A main task begins the
// base's main archive.
type task struct {
	base    string
	main    bool
	entries []pgdata.Entry
}

// A batch has so many entries or bytes at most, one entry at least: few enough
// that the workers end together, and enough that a small tablespace stays in
// one archive.
const (
	batchEntries = 256
	batchBytes   = 16 << 20
)

func (r *run) newCopier(plan *pgdata.Plan) *copier {
	var files *backupmanifest.Builder
	if !r.NoBackupManifest {
		files = &backupmanifest.Builder{}
	}
	var pages pgdata.Pages
	if r.facts.DataChecksums {
		pages = pgdata.Pages{Size: r.facts.PageSize, Segment: r.facts.PagesPerSegment, Start: r.start.LSN}
	}
	return &copier{
		files: files, pages: pages,
		plan: plan, jobs: r.Jobs, size: r.ArchiveSize, progress: r.Progress, log: r.Log, numbers: map[string]int{},
		options: &archive.Options{
			Vault: r.Vault, Dir: layout.BackupDir(r.Server, r.id), Codec: r.Codec, Level: r.Level,
			Create: bucket.CreateOptions{
				PartSize: partSize(r.ArchiveSize, r.Progress.Total.Load(), r.MinPart), PartsInFlight: partsInFlight, RetainUntil: r.RetainUntil, Tags: r.Tags,
			},
			Limit: archive.NewLimit(r.Bandwidth), Stored: &r.Progress.Stored,
		},
	}
}

// copyAll ends when every file is closed and every archive is in the store; or
// with the first error, after all workers have given up what they had open.
func (c *copier) copyAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan task, c.jobs)
	var wg sync.WaitGroup
	for range c.jobs {
		wg.Go(func() {
			if err := c.work(ctx, queue); err != nil {
				cancel(err)
			}
		})
	}
	if err := c.feed(ctx, queue); err != nil {
		cancel(err)
	}
	close(queue)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// feed walks everything into the queue. The directories of each base come
// first and together, in its main archive, which a restore reads first; those
// that appear later follow where they are met.
func (c *copier) feed(ctx context.Context, queue chan<- task) error {
	for _, a := range c.plan.Archives {
		t, seen := task{base: a.Base, main: true}, map[string]bool{}
		err := c.plan.Walk(ctx, a, func(e pgdata.Entry) error {
			if e.Kind == pgdata.Dir {
				t.entries = append(t.entries, e)
				seen[e.Name] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
		put := func() error {
			select {
			case queue <- t:
				t = task{base: a.Base}
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		var bytes int64
		err = c.plan.Walk(ctx, a, func(e pgdata.Entry) error {
			if e.Kind == pgdata.Dir && seen[e.Name] {
				return nil
			}
			t.entries = append(t.entries, e)
			if bytes += e.Size; bytes < batchBytes && len(t.entries) < batchEntries {
				return nil
			}
			bytes = 0
			return put()
		})
		if err == nil && (t.main || len(t.entries) > 0) {
			err = put()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// work is one worker.
func (c *copier) work(ctx context.Context, queue <-chan task) (err error) {
	w := &worker{copier: c, Writer: archive.NewWriter(c.options)}
	defer func() { w.Abort(errors.Join(errGivenUp, err)) }() // nothing is open after a success
	for t := range queue {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := w.do(ctx, t); err != nil {
			return err
		}
	}
	return w.close()
}

var errGivenUp = errors.New("the backup is given up")

// worker is a writer and the base of its open archive.
type worker struct {
	*copier
	*archive.Writer
	base string
}

func (w *worker) do(ctx context.Context, t task) error {
	if t.main {
		if err := w.begin(ctx, layout.Archive{Base: t.base, Suffix: w.options.Codec.Suffix}); err != nil {
			return err
		}
	}
	for _, e := range t.entries {
		if err := w.entry(ctx, t.base, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) entry(ctx context.Context, base string, e pgdata.Entry) error {
	if e.Kind == pgdata.Dir {
		if err := w.ready(ctx, base); err != nil {
			return err
		}
		return w.Dir(e)
	}
	f, err := pgdata.Open(e)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // dropped meanwhile: WAL replay knows
	}
	if err != nil {
		return err
	}
	defer f.Done()
	if err := w.ready(ctx, base); err != nil {
		return err
	}
	f.Verify(w.pages)
	read := &counted{Reader: f, progress: w.progress}
	if err := w.File(e, f.Size, read); err != nil {
		return err
	}
	w.note(base, e, f.Size, read.crc)
	if f.Padded() > 0 {
		w.log.Debug("a file became shorter while it was read; the rest is zeros", "file", e.Name, "bytes", f.Padded())
	}
	if n := f.Corrupt(); n > 0 {
		w.addCorrupt(n)
		w.log.Error("pages fail their checksums: what is on this disk is damaged, and is copied as it is", "file", e.Path, "pages", n)
	}
	w.progress.Files.Add(1)
	if w.Stored() > w.size {
		return w.close()
	}
	return nil
}

// begin begins an archive, after the one before is in the store.
func (w *worker) begin(ctx context.Context, name layout.Archive) error {
	if err := w.close(); err != nil {
		return err
	}
	w.base = name.Base
	return w.Begin(ctx, name)
}

// ready makes the open archive one of base.
func (w *worker) ready(ctx context.Context, base string) error {
	if w.Open() && w.base == base {
		return nil
	}
	name, err := w.next(base)
	if err != nil {
		return err
	}
	return w.begin(ctx, name)
}

func (w *worker) close() error {
	if !w.Open() {
		return nil
	}
	obj, err := w.Close()
	if err != nil {
		return err
	}
	w.add(obj)
	return nil
}

// next is the name of another archive of base after the main one. The very last
// number is kept for the part with pg_control.
func (c *copier) next(base string) (layout.Archive, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.numbers[base]++
	n := c.numbers[base]
	if n >= layout.MaxArchives-1 {
		return layout.Archive{}, fmt.Errorf("%s would need more than %d archives, and their numbers have four digits: raise -S (--max-archive-size)", base, layout.MaxArchives)
	}
	return layout.Archive{Base: base, Number: n, Suffix: c.options.Codec.Suffix}, nil
}

func (c *copier) add(obj manifest.Object) {
	c.mu.Lock()
	c.objects = append(c.objects, obj)
	c.mu.Unlock()
	c.log.Debug("archive stored", "key", c.options.Dir+obj.Name, "bytes", obj.Size)
}
