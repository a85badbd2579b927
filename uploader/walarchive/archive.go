package walarchive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// The object's metadata: what a repeated call compares, without reading the object, and wal-restore checks.
const (
	DigestKey   = "pgseal-sha256"    // of the file as PostgreSQL wrote it, in hex
	systemIDKey = "pgseal-system-id" // the cluster's, in decimal; only with segments
)

// Request says what to archive, and how.
type Request struct {
	Bucket bucket.Bucket
	Server string // as layout.CheckServer accepts it
	Path   string // of the file, whose last element CheckName accepts

	Codec       codec.Codec
	Level       codec.Level
	RetainUntil time.Time         // of the lock; zero leaves it to the store
	Tags        map[string]string // of the object
	Parts       Parts             // how a long file is sent

	Log *slog.Logger
}

// Parts say how files are sent that are too long for one request; the zero value leaves it to this package.
type Parts struct {
	LongerThan int64 // files of up to so many bytes, compressed, are sent in one request
	Size       int64 // of a part
	InFlight   int   // parts sent at the same time
}

// Result is where the file stands in the archive.
type Result struct {
	Key     string
	Already bool // it stood there before, with the same content
}

// Archive stores the file by a conditional create. When it returns nil, the store has the file with this content: from
// this call, or from an earlier one whatever compression that used.
//
// Errors: layout.ErrName for a name that is none; ErrContent for a file that is not what its name says; *Conflict when other content stands in its place; else
// what the file system or the store said (bucket's kinds). After an error the file may be archived all the same; to
// call again is always right.
func Archive(ctx context.Context, r Request) (Result, error) {
	if err := errors.Join(CheckName(r.Path), layout.CheckServer(r.Server)); err != nil {
		return Result{}, err
	}
	// The look for other suffixes runs while the file is read and compressed.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	look := make(chan found, 1)
	go func() { look <- r.find(ctx) }()

	f, err := readFile(r.Path)
	if err != nil {
		return Result{}, err
	}
	b, err := newBody(f, r.Codec, r.Level, r.Parts)
	if err != nil {
		return Result{}, err
	}
	defer b.close()

	there := <-look
	switch {
	case errors.Is(there.err, bucket.ErrDenied):
		r.Log.Warn("cannot see whether the file is archived with another compression already", "error", there.err)
	case there.err != nil:
		return Result{}, there.err
	case len(there.keys) > 0:
		for _, key := range there.keys {
			if err := r.compare(ctx, f, key); err != nil {
				return Result{}, err
			}
		}
		return Result{Key: there.keys[0], Already: true}, nil
	}
	return r.create(ctx, f, b)
}

// create stores the file where nothing was found. Somebody else may be doing the same.
func (r Request) create(ctx context.Context, f *file, b *body) (Result, error) {
	o := b.options
	o.RetainUntil, o.Tags = r.RetainUntil, r.Tags
	o.Metadata = map[string]string{DigestKey: f.digest()}
	if f.systemID != "" {
		o.Metadata[systemIDKey] = f.systemID
	}
	key := layout.WAL(r.Server, f.name, r.Codec.Suffix)
	_, err := r.Bucket.Create(ctx, key, b.Reader, o)
	switch {
	case err == nil:
		return Result{Key: key}, nil
	case !bucket.Exists(err) && !errors.Is(err, bucket.ErrUnavailable):
		return Result{}, err
	}
	// Something is there, or an answer was lost: look before believing either.
	switch cerr := r.compare(ctx, f, key); {
	case errors.Is(cerr, bucket.ErrNotFound) && !bucket.Exists(err):
		return Result{}, err
	case errors.As(cerr, new(*Conflict)):
		return Result{}, cerr
	case cerr != nil:
		return Result{}, fmt.Errorf("%w; and what is there could not be compared: %w", err, cerr)
	}
	return Result{Key: key, Already: true}, nil
}

// found is what stands in the archive under the file's name, with any suffix.
type found struct {
	keys []string
	err  error
}

// find costs one request: a listing of the names that begin with the file's. Besides the suffixes of compression there
// can be a .partial and a few .backup files.
func (r Request) find(ctx context.Context) (f found) {
	name := path.Base(r.Path)
	for obj, err := range r.Bucket.List(ctx, layout.WAL(r.Server, name, "")) {
		if err != nil {
			return found{err: fmt.Errorf("look for %s in the archive: %w", name, err)}
		}
		if n, _ := layout.SplitWAL(path.Base(obj.Key)); n == name {
			f.keys = append(f.keys, obj.Key)
		}
	}
	return f
}
