package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/layout"
)

// Run restores, or with VerifyOnly reads everything as if. After an error the same call goes on where this one ended.
//
// Errors: ErrNoBackup, ErrTarget, ErrDirectory before anything is written; ErrDamaged and ErrRefused for what is wrong
// with the backup; else what the store (bucket's kinds) or the file system said.
func Run(ctx context.Context, c Config) (Result, error) {
	s, r, err := c.open(ctx)
	if err != nil {
		return r, err
	}
	id := s.id
	if c.Recovery != nil {
		if s.info.Version != 0 && s.info.Version < 120000 {
			return r, fmt.Errorf("%w: backup %s is of PostgreSQL %d, and recovery is prepared from version 12 on; --no-recovery restores the files alone",
				ErrTarget, id, s.info.Version/10000)
		}
		if err := c.checkWAL(ctx, s); err != nil {
			return r, err
		}
	}
	for _, n := range s.notes {
		c.Log.Warn(n)
	}
	c.Log.Info("restoring", "server", c.Server, "backup_id", id, "sealed", s.manifest != nil, "archives", len(s.archives), "bytes", s.bytes())
	if c.VerifyOnly {
		err = c.verify(ctx, s)
	} else {
		r.Resumed, err = c.write(ctx, s)
	}
	r.Notes = s.notes
	return r, err
}

// Inspect finds the backup that is meant, and says what Run would restore. It reads no archive, looks for no WAL and writes
// nothing. The result has at least the ID as soon as a backup was chosen, also beside an error.
func Inspect(ctx context.Context, c Config) (Result, error) {
	_, r, err := c.open(ctx)
	return r, err
}

// open chooses the backup and reads what it consists of.
func (c Config) open(ctx context.Context) (*set, Result, error) {
	if err := layout.CheckServer(c.Server); err != nil {
		return nil, Result{}, err
	}
	id, err := c.choose(ctx)
	if err != nil {
		return nil, Result{}, err
	}
	s, err := c.openSet(ctx, id)
	if err != nil {
		return nil, Result{ID: id}, err
	}
	r := Result{
		ID: id, Info: s.info, Sealed: s.manifest != nil, Manifest: s.digest, Archives: len(s.archives), Bytes: s.bytes(), Room: s.room(),
		External: s.external(c.Dir), Notes: s.notes,
	}
	return s, r, c.fits(entry{id: id, info: s.info})
}

// verify reads every archive to its end, and writes nothing.
func (c Config) verify(ctx context.Context, s *set) error {
	var mu sync.Mutex
	found := map[string]bool{}
	err := c.archives(ctx, s, s.archives, func(ctx context.Context, x *extractor, a archive) error {
		held, err := c.unpack(ctx, x, a, nil)
		mu.Lock()
		defer mu.Unlock()
		for _, name := range held {
			found[name] = true
		}
		return err
	}, &owner{})
	if err != nil {
		return err
	}
	for _, name := range []string{labelName, "global/pg_control"} {
		if !found[name] {
			return fmt.Errorf("%w: no archive holds %s: the backup is not whole", ErrDamaged, name)
		}
	}
	return nil
}

// write fills the directories, and makes a data directory of them.
func (c Config) write(ctx context.Context, s *set) (resumed int, err error) {
	places, err := c.locations(s.info.Tablespaces)
	if err != nil {
		return 0, err
	}
	d, err := openDirectory(c.Dir, state{
		Format: 1, Vault: c.Vault.URL(), Server: c.Server, BackupID: s.id, Manifest: s.digest, Tablespaces: places, Boot: bootID(),
	})
	if err != nil {
		return 0, err
	}
	defer d.close()
	var todo []archive
	for _, a := range s.archives {
		if slices.Contains(d.state.Done, a.String()) {
			resumed++
			c.Progress.Read.Add(a.size)
		} else {
			todo = append(todo, a)
		}
	}
	if !d.fresh {
		c.Log.Info("going on with an unfinished restore", "archives_done", resumed)
	}
	who := &owner{uid: d.state.UID, gid: d.state.GID, user: d.state.User}
	err = c.archives(ctx, s, todo, func(ctx context.Context, x *extractor, a archive) error {
		t := &tree{root: d.trees[a.Base], fresh: d.fresh, sync: !c.NoSync}
		if a.Base == layout.Data {
			hold, err := d.hold(a)
			if err != nil {
				return err
			}
			defer hold.Close()
			t.hold = hold
		}
		if _, err := c.unpack(ctx, x, a, t); err != nil {
			return err
		}
		return d.done(a, who)
	}, who)
	if err != nil {
		return resumed, err
	}
	return resumed, c.finish(s, d)
}

// archives does something with each archive, c.Jobs at a time. The first error ends the others.
func (c Config) archives(ctx context.Context, s *set, list []archive, do func(context.Context, *extractor, archive) error, who *owner) error {
	c.Progress.Total.Store(s.bytes())
	c.Progress.Copying.Store(true)
	defer c.Progress.Copying.Store(false)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if len(s.notes) < maxNotes {
			s.note(format, args...)
			c.Log.Warn(s.notes[len(s.notes)-1])
		}
	}
	queue := make(chan archive)
	var group sync.WaitGroup
	for range min(max(c.Jobs, 1), max(len(list), 1)) {
		group.Go(func() {
			for a := range queue {
				x := &extractor{base: a.Base, stock: s.manifest == nil, files: &c.Progress.Files, owner: who, note: note}
				if err := do(ctx, x, a); err != nil {
					cancel(fmt.Errorf("archive %s: %w", a.Archive, err))
				}
			}
		})
	}
	for _, a := range largestFirst(list) {
		select {
		case queue <- a:
		case <-ctx.Done():
		}
	}
	close(queue)
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

const maxNotes = 200

// unpack downloads, decompresses, unpacks and verifies one archive.
func (c Config) unpack(ctx context.Context, x *extractor, a archive, t *tree) ([]string, error) {
	d := c.download(ctx, a)
	defer d.close()
	content, err := codec.BySuffix(a.Suffix).NewReader(d)
	if err != nil {
		return nil, damaged(err)
	}
	defer content.Close()
	in := newReadAhead(content)
	whole := &tail{r: in}
	held, err := x.unpack(ctx, whole, t)
	if err == nil {
		err = whole.drain()
	}
	if err != nil {
		d.cancel()
	}
	in.close()
	if err == nil {
		err = d.verify()
	}
	return held, damaged(err)
}

// maxPadding is what may follow the end of a tar: barman's are padded to 10 KiB.
const maxPadding = 16 << 20

// tail remembers whether a tar had an end, which is two blocks of zeros: Go's reader takes one for whole that was cut
// between two files.
type tail struct {
	r     io.Reader
	zeros int // at the end of what was read
}

const endOfTar = 1024

// Read implements io.Reader.
func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	last := n
	for last > 0 && n-last < endOfTar && p[last-1] == 0 {
		last--
	}
	if t.zeros += n - last; last > 0 && n-last < endOfTar {
		t.zeros = n - last
	}
	return n, err
}

// drain reads what follows the end, so that all of the archive is seen.
func (t *tail) drain() error {
	n, err := io.Copy(io.Discard, io.LimitReader(t, maxPadding+1))
	switch {
	case err != nil:
		return err
	case n > maxPadding:
		return fmt.Errorf("%w: more than %d bytes follow the end of the tar", ErrRefused, maxPadding)
	case t.zeros < endOfTar:
		return fmt.Errorf("%w: the end of the tar is missing", ErrDamaged)
	}
	return nil
}

// damaged gives a decompressor's complaint our kind.
func damaged(err error) error {
	if errors.Is(err, codec.ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// external are the settings that the backed up server took from outside of its data directory. The files stand in the
// new data directory now, and say where the old ones are.
func (s *set) external(dir string) map[string]string {
	settings := map[string]string{}
	for name, file := range map[string]string{"hba_file": s.info.HBAFile, "ident_file": s.info.IdentFile} {
		if file != "" && !strings.HasPrefix(file, strings.TrimSuffix(s.info.PGData, "/")+"/") {
			settings[name] = filepath.Join(dir, filepath.Base(file))
		}
	}
	if len(settings) > 0 || s.info.ConfigFile != "" && !strings.HasPrefix(s.info.ConfigFile, strings.TrimSuffix(s.info.PGData, "/")+"/") {
		settings["data_directory"] = dir
	}
	return settings
}
