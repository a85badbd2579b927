package localgcp

import (
	"crypto/md5" // as GCS has it
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// On disk a bucket is a directory with bucket.json; a generation is NUMBER.bin, its content, and NUMBER.json. The
// descriptions are kept only where the directory outlives the process.

func (g *GCP) dir(bucket string) string { return filepath.Join(g.Dir, "buckets", bucket) }

func (g *GCP) file(o *object, kind string) string {
	return filepath.Join(g.dir(o.Bucket), fmt.Sprintf("%d.%s", o.Generation, kind))
}

// openBucket takes the bucket as an earlier start left it, or makes it as it is given.
func (g *GCP) openBucket(b *bucketState) error {
	dir := g.dir(b.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err := read(filepath.Join(dir, "bucket.json"), b)
	if errors.Is(err, fs.ErrNotExist) {
		err = g.keepBucket(b)
	}
	if err != nil {
		return err
	}
	b.live, b.old = map[string]*object{}, map[string][]*object{}
	files, err := filepath.Glob(filepath.Join(dir, "[0-9]*.json"))
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(x, y string) int { // by number
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
	for _, f := range files {
		o := &object{}
		if err := read(f, o); err != nil {
			return err
		}
		if g.lastGeneration = max(g.lastGeneration, o.Generation); o.Deleted.IsZero() {
			b.live[o.Name] = o
		} else {
			b.old[o.Name] = append(b.old[o.Name], o)
		}
	}
	g.buckets[b.Name] = b
	return nil
}

func (g *GCP) keepBucket(b *bucketState) error {
	if g.temporary {
		return nil
	}
	return write(filepath.Join(g.dir(b.Name), "bucket.json"), b)
}

// keep writes the description of a generation.
func (g *GCP) keep(o *object) error {
	if g.temporary {
		return nil
	}
	return write(g.file(o, "json"), o)
}

// forget removes a generation.
func (g *GCP) forget(o *object) {
	_ = os.Remove(g.file(o, "json"))
	_ = os.Remove(g.file(o, "bin"))
}

func read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func write(file string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// incoming is content on its way in: a file without a name of its own yet, summed as it grows.
type incoming struct {
	*os.File
	size int64
	crc  hash.Hash32
	md5  hash.Hash
}

func (g *GCP) newIncoming(bucket string) (*incoming, error) {
	f, err := os.CreateTemp(g.dir(bucket), "incoming-")
	if err != nil {
		return nil, err
	}
	return &incoming{File: f, crc: crc32.New(crc32.MakeTable(crc32.Castagnoli)), md5: md5.New()}, nil
}

// add appends all of r.
func (in *incoming) add(r io.Reader) (int64, error) {
	n, err := io.Copy(io.MultiWriter(in.File, in.crc, in.md5), r)
	in.size += n
	return n, err
}

// drop throws it away, unless it became an object.
func (in *incoming) drop() {
	_ = in.Close()
	_ = os.Remove(in.Name())
}
