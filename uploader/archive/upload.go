package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// upload is one object on its way: what is written to it goes through the
// digests and the limit into the store's CreateStream.
type upload struct {
	ctx  context.Context
	name string
	pipe *io.PipeWriter

	limit  *rate.Limiter
	stored *atomic.Int64
	size   int64
	sha    hash.Hash
	sum    *bucket.Summed // of what the store has read

	ended chan struct{} // closed when the store is done; obj and err are set before
	obj   bucket.Object
	err   error
}

func startUpload(ctx context.Context, o *Options, name layout.Archive) *upload {
	r, w := io.Pipe()
	u := &upload{
		ctx: ctx, name: name.String(), pipe: w, limit: o.Limit, stored: o.Stored,
		sha: sha256.New(), sum: bucket.NewSummed(r), ended: make(chan struct{}),
	}
	// The pipe does not look at the context; whoever waits at its ends does.
	unwatch := context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer unwatch()
		u.obj, u.err = bucket.CreateStream(ctx, o.Vault, o.Dir+u.name, u.sum, o.Create)
		close(u.ended)
		r.CloseWithError(errEnded) // a store that refused before the end: the writer must not wait
	}()
	return u
}

// errEnded is what a writer meets whose upload has ended; why is in err.
var errEnded = errors.New("the upload has ended")

// Write implements io.Writer. It blocks as long as the store is busy.
func (u *upload) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		chunk := p
		if u.limit != nil {
			chunk = p[:min(len(p), u.limit.Burst())]
			if err := u.limit.WaitN(u.ctx, len(chunk)); err != nil {
				return written, err
			}
		}
		u.sha.Write(chunk)
		n, err := u.pipe.Write(chunk)
		written += n
		u.size += int64(n)
		if u.stored != nil {
			u.stored.Add(int64(n))
		}
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

// finish says that all was written, and waits for the store.
func (u *upload) finish() (bucket.Object, error) {
	u.pipe.Close()
	<-u.ended
	switch {
	case u.ctx.Err() != nil:
		return bucket.Object{}, context.Cause(u.ctx)
	case u.err != nil:
		return bucket.Object{}, u.err
	case u.obj.Size != u.size || u.obj.CRC32C != "" && u.obj.CRC32C != u.sum.CRC32C():
		return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name, Kind: bucket.ErrDiffers,
			Code: fmt.Sprintf("sent %d bytes with CRC-32C %s, the store reports %d with %s", u.size, u.sum.CRC32C(), u.obj.Size, u.obj.CRC32C)}
	}
	return u.obj, nil
}

// abort ends the upload without an object, and waits until nothing of it is
// left.
func (u *upload) abort(cause error) {
	u.pipe.CloseWithError(fmt.Errorf("given up: %w", cause))
	<-u.ended
}

// failure is why the upload cannot go on; nil while it can.
func (u *upload) failure() error {
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	select {
	case <-u.ended:
		return u.err
	default:
		return nil
	}
}
