package membucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Call is one request that is about to be made.
type Call struct {
	Op  string // create, put, read, stat, list, versions, dirs, retain, lock, check, removable, remove, hide
	Key string // or prefix
}

// Changes tells whether the call can change the store.
func (c Call) Changes() bool {
	return c.Op == "create" || c.Op == "put" || c.Op == "retain" || c.Op == "remove" || c.Op == "hide"
}

// Fault is what happens to one request. The zero Fault is none.
type Fault struct {
	Skip bool  // it does not take effect
	Err  error // what the caller is told, whether or not it took effect
}

// Faults by their names: what a caller is told when a request fails on the way
// there (Skip) or on the way back.
var (
	ErrServer   = &bucket.Error{Kind: bucket.ErrUnavailable, Code: "500 InternalError"}
	ErrTimeout  = &bucket.Error{Kind: bucket.ErrUnavailable, Code: "no answer"}
	ErrThrottle = &bucket.Error{Kind: bucket.ErrThrottled, Code: "503 SlowDown"}
)

// Bucket is the store as one program sees it.
type Bucket struct {
	s *Store
	// hook is asked before each request, may block, and says what happens to it.
	hook func(context.Context, Call) Fault
	// stale makes the pages of a listing show the store as it was when the listing
	// began; otherwise each page shows it as it is then.
	stale bool
}

var _ bucket.Bucket = (*Bucket)(nil)

// Bucket opens the store.
func (s *Store) Bucket() *Bucket { return &Bucket{s: s} }

// Hooked opens the store for a program whose requests pass through hook.
func (s *Store) Hooked(hook func(context.Context, Call) Fault, stale bool) *Bucket {
	return &Bucket{s: s, hook: hook, stale: stale}
}

// Store is what the bucket looks at.
func (b *Bucket) Store() *Store { return b.s }

// URL is as in Options.
func (b *Bucket) URL() string { return b.s.o.URL }

// do is one request.
func (b *Bucket) do(ctx context.Context, c Call, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s/%s: %w", c.Op, b.URL(), c.Key, context.Cause(ctx))
	}
	var fault Fault
	if b.hook != nil {
		fault = b.hook(ctx, c)
	}
	var err error
	if !fault.Skip {
		b.s.mu.Lock()
		if b.s.o.Missing {
			err = b.s.fail(c.Op, c.Key, bucket.ErrNotFound, "404 NoSuchBucket")
		} else {
			err = f()
		}
		b.s.mu.Unlock()
	}
	if fault.Err != nil {
		var e *bucket.Error
		if errors.As(fault.Err, &e) && e.Op == "" {
			return &bucket.Error{Op: c.Op, Key: b.URL() + "/" + c.Key, Kind: e.Kind, Code: e.Code}
		}
		return fault.Err
	}
	return err
}

// Create as the interface says.
func (b *Bucket) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (obj bucket.Object, err error) {
	b.s.mu.Lock()
	b.s.open++
	b.s.mu.Unlock()
	defer func() {
		b.s.mu.Lock()
		b.s.open--
		b.s.mu.Unlock()
	}()
	limit := int64(-1)
	if o.SingleShot && o.PartSize > 0 {
		limit = o.PartSize
	}
	if b.s.o.Denied || b.s.o.Missing { // nobody takes the body
		r = bytes.NewReader(nil)
	}
	body, err := readBody(ctx, r, limit)
	if errors.Is(err, bucket.ErrTooLarge) {
		return bucket.Object{}, b.s.fail("create", key, bucket.ErrTooLarge, fmt.Sprintf("more than %d bytes", limit))
	}
	if err != nil {
		return bucket.Object{}, fmt.Errorf("create %s/%s: %w", b.URL(), key, err)
	}
	err = b.do(ctx, Call{"create", key}, func() error {
		s := b.s
		switch {
		case s.o.Denied:
			return s.fail("create", key, bucket.ErrDenied, "403 AccessDenied")
		case !o.RetainUntil.IsZero() && !s.o.Locked:
			return s.fail("create", key, bucket.ErrInvalid, "400: no object lock here")
		case !o.RetainUntil.IsZero() && o.RetainUntil.Before(s.o.Now()):
			return s.fail("create", key, bucket.ErrInvalid, "400: the retain until date must be in the future")
		case s.current(key) != nil:
			kind, code := bucket.ErrExists, "412 PreconditionFailed"
			if s.o.Personality != S3 && s.retained(s.current(key)) {
				kind, code = bucket.ErrRetained, s.refusal()
			}
			delete(s.lose, key)
			return s.fail("create", key, kind, code)
		}
		obj = s.add(key, body, o).obj
		obj.Latest = true
		if s.lose[key] {
			delete(s.lose, key)
			return s.fail("create", key, bucket.ErrUnavailable, "connection reset")
		}
		return nil
	})
	if err != nil {
		return bucket.Object{}, err
	}
	return obj, nil
}

// readBody reads a body to its end, as long as ctx lasts.
func readBody(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	var body bytes.Buffer
	p := make([]byte, 64<<10)
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := r.Read(p)
		body.Write(p[:n])
		if limit >= 0 && int64(body.Len()) > limit {
			return nil, bucket.ErrTooLarge
		}
		if err == io.EOF {
			return body.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Put as the interface says; in a vault as the personality has it.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) (obj bucket.Object, err error) {
	err = b.do(ctx, Call{"put", key}, func() error {
		v, err := b.s.put(key, body)
		if err == nil {
			obj = v.obj
			obj.Latest = true
		}
		return err
	})
	if err != nil {
		return bucket.Object{}, err
	}
	return obj, nil
}

func (b *Bucket) look(ctx context.Context, op, key, id string) (v *version, obj bucket.Object, err error) {
	err = b.do(ctx, Call{op, key}, func() error {
		if v = b.s.find(key, id); v == nil {
			return b.s.fail(op, key, bucket.ErrNotFound, "404 NoSuchKey")
		}
		obj = v.obj
		obj.Latest = v == b.s.current(key)
		return nil
	})
	if err != nil {
		return nil, bucket.Object{}, err
	}
	return v, obj, nil
}

// Open as the interface says.
func (b *Bucket) Open(ctx context.Context, key, id string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	v, obj, err := b.look(ctx, "read", key, id)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	body := v.body[min(offset, int64(len(v.body))):]
	if length >= 0 && length < int64(len(body)) {
		body = body[:length]
	}
	return io.NopCloser(bytes.NewReader(body)), obj, nil
}

// Stat as the interface says.
func (b *Bucket) Stat(ctx context.Context, key, id string) (bucket.Object, error) {
	_, obj, err := b.look(ctx, "stat", key, id)
	return obj, err
}

// Retain as the interface says.
func (b *Bucket) Retain(ctx context.Context, key, id string, until time.Time) error {
	return b.do(ctx, Call{"retain", key}, func() error {
		s := b.s
		v := s.find(key, id)
		switch {
		case v == nil:
			return s.fail("retain", key, bucket.ErrNotFound, "404 NoSuchKey")
		case !s.o.Locked:
			return s.fail("retain", key, bucket.ErrInvalid, "400: no object lock here")
		case until.Before(v.own), s.o.Personality == S3 && until.Before(v.obj.RetainUntil):
			return s.fail("retain", key, bucket.ErrRetained, "retention can only be extended")
		case until.Before(s.o.Now()):
			return s.fail("retain", key, bucket.ErrInvalid, "400: the retain until date must be in the future")
		}
		v.own = until
		s.keep(v)
		return nil
	})
}

// Lock as the interface says.
func (b *Bucket) Lock(ctx context.Context) (l bucket.Lock, err error) {
	err = b.do(ctx, Call{"lock", ""}, func() error {
		if b.s.o.Locked {
			l = bucket.Lock{Enabled: true, Mode: "COMPLIANCE", Default: b.s.o.Default, Versioning: b.s.o.Personality == S3}
		}
		return nil
	})
	return l, err
}

// CheckCreate as the interface says.
func (b *Bucket) CheckCreate(ctx context.Context, key string) error {
	return b.do(ctx, Call{"check", key}, func() error {
		if b.s.o.Denied {
			return b.s.fail("check", key, bucket.ErrDenied, "403 AccessDenied")
		}
		return nil
	})
}

// shown is what a listing tells of a version.
func (s *Store) shown(v *version, versions bool) bucket.Object {
	obj := v.obj
	obj.Metadata = nil
	obj.Latest = len(s.objects[obj.Key]) > 0 && v == s.objects[obj.Key][len(s.objects[obj.Key])-1]
	if s.o.Personality == S3 {
		obj.CRC32C, obj.Encryption, obj.RetainUntil, obj.RetentionSeen = "", "", time.Time{}, false
		if !versions {
			obj.Version = ""
		}
	}
	return obj
}
