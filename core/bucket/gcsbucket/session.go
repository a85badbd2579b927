package gcsbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
)

// A session is what GCS calls an upload in several requests that is under way.
// It is no object, nobody can list it, and it ends by itself after a week
// ("Resumable uploads" in the Cloud Storage documentation). Google's library
// keeps its address to itself and never ends it, so the address is taken from
// the answer that opens it.

// session holds the address of the upload that is sent under a context.
type session struct{ url atomic.Pointer[string] }

type sessionKey struct{}

// watchSession gives a context whose upload's address will be in s.
func watchSession(ctx context.Context) (context.Context, *session) {
	s := &session{}
	return context.WithValue(ctx, sessionKey{}, s), s
}

// transport stands between the library and the network. It notes the addresses
// of sessions, and asks for content as it is stored: an object whose writer says
// contentEncoding: gzip is else unpacked on the way, by the store or by Go, and
// neither its size nor its sum are those of the bytes that arrive. (The library's
// own way of asking, ReadCompressed, does not work with JSON reads in 1.70.)
type transport struct{ http.RoundTripper }

func (w *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("alt") == "media" {
		r = r.Clone(r.Context())
		r.Header.Set("Accept-Encoding", "gzip")
	}
	s, ok := r.Context().Value(sessionKey{}).(*session)
	if !ok || r.URL.Query().Get("uploadType") != "resumable" || r.URL.Query().Has("upload_id") {
		return w.RoundTripper.RoundTrip(r)
	}
	// Given up at this moment, the session would stay open and nobody would know
	// its address: so its answer is waited for a little longer.
	asked := r.Context()
	if err := asked.Err(); err != nil {
		return nil, err
	}
	ctx, giveUp := context.WithCancel(context.WithoutCancel(asked))
	defer giveUp()
	defer context.AfterFunc(asked, func() { time.AfterFunc(grace, giveUp) })()
	res, err := w.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if at := res.Header.Get("Location"); at != "" && res.StatusCode/100 == 2 {
		s.url.Store(&at)
	}
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(said))
	return res, err
}

// grace is how long the answer that opens a session is waited for after somebody
// has given up.
const grace = 5 * time.Second

// cancel ends the session, also when ctx is cancelled already.
func (b *Bucket) cancel(ctx context.Context, c *client, key string, s *session) error {
	at := s.url.Load()
	if at == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer stop()
	err := b.try(ctx, func() error {
		r, err := http.NewRequestWithContext(ctx, http.MethodDelete, *at, http.NoBody)
		if err != nil {
			return err
		}
		return c.send(r)
	})
	var e *googleapi.Error
	if errors.As(err, &e) {
		switch e.Code {
		case 499, // cancelled: how "Cancel an upload" says it is answered
			http.StatusNotFound, http.StatusGone: // it has ended already
			return nil
		}
	}
	if err != nil {
		return b.fail(ctx, "abort the upload of", key, err)
	}
	return nil
}

// CheckCreate opens an upload session for key and cancels it. That is the first
// request of every larger create: GCS asks for storage.objects.create on this
// very name, with the conditions that are bound to it, and for the bucket's key.
// It stores nothing, so that it leaves no trace under a lock; a session that
// could not be cancelled ends by itself. Asking testIamPermissions would not do:
// of a bucket it leaves out what is granted for some names only, and it knows
// nothing of what the organization's policies or a VPC-SC perimeter refuse.
//
// When something stands under key, the condition failed, and the right was seen.
func (b *Bucket) CheckCreate(ctx context.Context, key string) error {
	c, err := b.connected(ctx)
	if err != nil {
		return b.fail(ctx, "check", key, err)
	}
	ctx, s := watchSession(ctx)
	query := url.Values{"uploadType": {"resumable"}, "name": {b.prefix + key}, "ifGenerationMatch": {"0"}}
	if b.options.KMSKeyName != "" {
		query.Set("kmsKeyName", b.options.KMSKeyName)
	}
	at := c.root + "/upload/storage/v1/b/" + url.PathEscape(b.bucket) + "/o?" + query.Encode()
	about, err := json.Marshal(map[string]string{"name": b.prefix + key})
	if err != nil {
		return b.fail(ctx, "check", key, err)
	}
	err = b.try(ctx, func() error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(about))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		return c.send(r)
	})
	if err != nil {
		if err = b.fail(ctx, "check", key, err); bucket.Exists(err) {
			return nil
		}
		return err
	}
	if s.url.Load() == nil {
		return b.refuse("check", key, bucket.ErrInvalid, "the server opened no upload session: it does not speak the protocol of Google Cloud Storage")
	}
	return b.cancel(ctx, c, key, s)
}

// send sends a request whose answer has nothing to tell but its status.
func (c *client) send(r *http.Request) error {
	res, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return err
}

// try calls f up to attempts times, with growing, random pauses, as long as it
// makes sense.
func (b *Bucket) try(ctx context.Context, f func() error) error {
	pauses := b.pauses
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == attempts || ctx.Err() != nil || !again(err) {
			return err
		}
		if slept := gax.Sleep(ctx, pauses.Pause()); slept != nil {
			return fmt.Errorf("%w, after %w", slept, err)
		}
	}
}
