package gcsbucket

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"sync"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

// createInChunks sends first, which it takes over, and what r still has in one
// upload session: chunk after chunk, as GCS takes them in their order only. While
// one is sent the next are read, so that PartsInFlight+1 chunks (at least three)
// are in memory.
//
// The sum of a stream is not known before its end: the library puts the CRC-32C
// of all bytes into a header of the last chunk (x-goog-hash), and the store
// compares it before it makes the object.
func (b *Bucket) createInChunks(ctx context.Context, c *client, key string, first []byte, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	sending, giveUp := context.WithCancel(ctx)
	defer giveUp()
	sending, s := watchSession(sending)
	tries := 1
	w := b.writer(sending, c, key, storage.Conditions{DoesNotExist: true}, b.attributes(o), storage.WithErrorFunc(func(err error) bool {
		if !again(err) { // it is asked after successes, too
			return false
		}
		tries++
		return tries <= attempts
	}))
	w.ProgressFunc = func(int64) { tries = 1 }
	w.ChunkSize = len(first)
	w.ChunkRetryDeadline = math.MaxInt64 // tries are counted instead: a chunk on a slow line may take its time

	crc, size, err := b.send(sending, w, key, first, r, o.PartsInFlight)
	if err != nil {
		giveUp()      // before Close, which would end the body as if it were whole
		_ = w.Close() // waits until nothing is under way
	} else {
		err = w.Close()
	}
	if err == nil {
		return b.made(ctx, key, w.Attrs(), size, crc)
	}
	err = b.chunkError(ctx, key, s, err)
	if left := b.cancel(ctx, c, key, s); left != nil {
		err = fmt.Errorf("%w; and the upload session stays open until GCS ends it, after a week: %w", err, left)
	}
	return bucket.Object{}, err
}

// chunkError: a session that is gone has nothing to do with whether bucket and
// object are there.
func (b *Bucket) chunkError(ctx context.Context, key string, s *session, err error) error {
	var answer *googleapi.Error
	var told *bucket.Error
	switch {
	case errors.As(err, &told): // of the body
		return err
	case errors.As(err, &answer) && s.url.Load() != nil && (answer.Code == http.StatusNotFound || answer.Code == http.StatusGone):
		return &bucket.Error{Op: "create", Key: b.name(key), Kind: bucket.ErrUnavailable, Err: err,
			Code: fmt.Sprintf("%d: the store has lost the upload session; send everything anew", answer.Code)}
	}
	return b.fail(ctx, "create", key, err)
}

// piece is a part of a body; err is io.EOF with the last one.
type piece struct {
	bytes []byte
	err   error
}

// send writes first, which it takes over, and what r still has to w. Nothing
// reads r any more when it returns.
func (b *Bucket) send(ctx context.Context, w io.Writer, key string, first []byte, r io.Reader, inFlight int) (crc uint32, size int64, err error) {
	ctx, stop := context.WithCancel(ctx)
	pieces := make(chan piece, max(inFlight-2, 0))
	var reading sync.WaitGroup
	defer reading.Wait()
	defer stop()
	reading.Go(func() {
		defer close(pieces)
		for p := (piece{}); p.err == nil; {
			p.bytes = b.buffers.Lend(int64(len(first)))
			var n int
			n, p.err = body.Fill(ctx, r, p.bytes)
			p.bytes = p.bytes[:n]
			select {
			case pieces <- p:
			case <-ctx.Done():
				return
			}
		}
	})
	p := piece{bytes: first}
	for {
		crc, size = crc32.Update(crc, castagnoli, p.bytes), size+int64(len(p.bytes))
		_, err = w.Write(p.bytes)
		b.buffers.Return(p.bytes)
		if err != nil || p.err == io.EOF {
			return crc, size, err
		}
		var more bool
		if p, more = <-pieces; !more {
			return crc, size, ctx.Err()
		}
		if p.err != nil && p.err != io.EOF {
			return crc, size, body.Error(ctx, b.name(key), p.err)
		}
	}
}
