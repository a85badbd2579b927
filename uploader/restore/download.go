package restore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

const (
	chunkSize = 8 << 20 // of one request
	ahead     = 3       // chunks that are fetched before they are needed, per archive
	tries     = 6       // of one chunk; the driver tries each request several times besides
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunks are buffers that are used again.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// download reads the stored bytes of one version of an archive, in ranges that are fetched side by side, and sums them
// up in their order. What it yields is not to be believed before verify.
type download struct {
	vault bucket.Bucket
	a     archive
	count *atomic.Int64

	ctx    context.Context
	cancel context.CancelFunc
	coming chan chan chunk
	ended  chan struct{}
	now    chunk
	rest   []byte // of now
	read   int64
	sha    hash.Hash
	crc    uint32 // where no SHA-256 is on record
	err    error
}

type chunk struct {
	buffer *[chunkSize]byte
	n      int
	err    error
}

func (c Config) download(ctx context.Context, a archive) *download {
	ctx, cancel := context.WithCancel(ctx)
	d := &download{
		vault: c.Vault, a: a, count: &c.Progress.Read, ctx: ctx, cancel: cancel,
		coming: make(chan chan chunk, ahead-1), ended: make(chan struct{}), sha: sha256.New(),
	}
	go d.fetch(ctx)
	return d
}

// fetch begins the requests, in order and some at a time.
func (d *download) fetch(ctx context.Context) {
	defer close(d.ended)
	defer close(d.coming)
	var group sync.WaitGroup
	defer group.Wait()
	for at := int64(0); at < d.a.size; at += chunkSize {
		c := make(chan chunk, 1)
		select {
		case d.coming <- c:
		case <-ctx.Done():
			return
		}
		group.Go(func() { c <- d.chunk(ctx, at, min(chunkSize, d.a.size-at)) })
	}
}

// chunk fetches one range, and again when the store or the connection fails.
func (d *download) chunk(ctx context.Context, at, length int64) chunk {
	buffer := chunks.Get().(*[chunkSize]byte)
	for try, pause := 1, time.Second; ; try, pause = try+1, 2*pause {
		err := d.into(ctx, buffer[:length], at)
		if err == nil {
			return chunk{buffer: buffer, n: int(length)}
		}
		if try == tries || !bucket.Retryable(err) || ctx.Err() != nil {
			return chunk{buffer: buffer, err: err}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (d *download) into(ctx context.Context, to []byte, at int64) error {
	body, obj, err := d.vault.Open(ctx, d.a.key, d.a.version, at, int64(len(to)))
	if err != nil {
		return err
	}
	defer body.Close()
	if obj.Size != d.a.size {
		return fmt.Errorf("%s/%s: %w: it has %d bytes, and should have %d", d.vault.URL(), d.a.key, ErrDamaged, obj.Size, d.a.size)
	}
	if n, err := io.ReadFull(body, to); err != nil {
		return &bucket.Error{Op: "read", Key: d.vault.URL() + "/" + d.a.key, Kind: bucket.ErrUnavailable, Code: fmt.Sprintf("%d bytes of %d", n, len(to)), Err: err}
	}
	return nil
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	for len(d.rest) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.next()
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *download) next() {
	d.release()
	c, more := <-d.coming
	if !more {
		if d.err = io.EOF; d.read < d.a.size {
			d.err = context.Cause(d.ctx)
		}
		return
	}
	d.now = <-c
	if d.err = d.now.err; d.err != nil {
		return
	}
	d.rest = d.now.buffer[:d.now.n]
	d.read += int64(d.now.n)
	d.count.Add(int64(d.now.n))
	if d.a.sha256 != "" {
		d.sha.Write(d.rest)
	} else {
		d.crc = crc32.Update(d.crc, castagnoli, d.rest)
	}
}

func (d *download) release() {
	if d.now.buffer != nil {
		chunks.Put(d.now.buffer)
		d.now.buffer = nil
	}
}

// verify reads what is left, and tells whether all of it is what was sealed.
func (d *download) verify() error {
	for d.err == nil {
		d.rest = nil
		d.next()
	}
	switch where := d.vault.URL() + "/" + d.a.key; {
	case d.err != io.EOF:
		return d.err
	case d.read != d.a.size:
		return fmt.Errorf("%s: %w: %d bytes came instead of %d", where, ErrDamaged, d.read, d.a.size)
	case d.a.sha256 != "" && hex.EncodeToString(d.sha.Sum(nil)) != d.a.sha256:
		return fmt.Errorf("%s: %w: the SHA-256 of what came is %x, and %s was sealed: run the same command again, which fetches it anew; "+
			"if it stays so, the store has lost it", where, ErrDamaged, d.sha.Sum(nil), d.a.sha256)
	case d.a.sha256 == "" && d.a.crc32c != "" && fmt.Sprintf("%08x", d.crc) != d.a.crc32c:
		return fmt.Errorf("%s: %w: the CRC-32C of what came is %08x, and %s is on record", where, ErrDamaged, d.crc, d.a.crc32c)
	}
	return nil
}

// close ends the requests that are under way, and waits for them.
func (d *download) close() {
	d.cancel()
	for c := range d.coming {
		if c := <-c; c.buffer != nil {
			chunks.Put(c.buffer)
		}
	}
	<-d.ended
	d.release()
}
