package buckettest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var cancelCases = []testCase{
	{"a cancelled context ends every call and leaves nothing", func(t *testing.T, s suite) {
		b := s.Open(t)
		create(t, b, "k", content(1, 100), bucket.CreateOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, call := range everyCall(s, b) {
			if err := call(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s = %v, want context.Canceled", name, err)
			} else if bucket.Retryable(err) {
				t.Errorf("%s: %v must not be tried again", name, err)
			}
		}
		s.wantNothing(t, b, "new")
		s.wantNothing(t, b, "put")
		wantBody(t, b, "k", "", content(1, 100))
	}},
	{"cancelled in the middle of an endless body, a create ends and leaves nothing", func(t *testing.T, s suite) {
		for name, after := range map[string]int64{"first part": s.PartSize / 2, "third part": 5 * s.PartSize / 2} {
			b := s.Open(t)
			ctx, cancel := context.WithCancel(t.Context())
			r := &endless{after: after, then: cancel}
			_, err := b.Create(ctx, "endless", r, bucket.CreateOptions{PartSize: s.PartSize})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want context.Canceled", name, err)
			}
			s.wantNothing(t, b, "endless")
		}
	}},
	{"a listing that is cancelled ends with the reason", func(t *testing.T, s suite) {
		b := s.Open(t)
		createAll(t, b, []string{"a", "b", "c"})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n, last := 0, error(nil)
		for _, err := range b.List(ctx, "") {
			cancel()
			n, last = n+1, err
		}
		// A store that had the whole page already may yield it to the end.
		if last != nil && !errors.Is(last, context.Canceled) || n > 4 {
			t.Errorf("%d entries, then %v", n, last)
		}
	}},
}

// everyCall is each method of a Bucket, once; "k" exists.
func everyCall(s suite, b bucket.Bucket) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Create": func(ctx context.Context) error {
			_, err := b.Create(ctx, "new", bytes.NewReader(content(1, 10)), bucket.CreateOptions{})
			return err
		},
		"Create of parts": func(ctx context.Context) error {
			_, err := b.Create(ctx, "new", bytes.NewReader(content(1, int(s.PartSize)+1)), bucket.CreateOptions{PartSize: s.PartSize})
			return err
		},
		"CreateOrMatch": func(ctx context.Context) error {
			_, err := bucket.CreateOrMatch(ctx, b, "new", content(1, 10), bucket.CreateOptions{})
			return err
		},
		"CreateStream": func(ctx context.Context) error {
			_, err := bucket.CreateStream(ctx, b, "new", bytes.NewReader(content(1, 10)), bucket.CreateOptions{})
			return err
		},
		"Put": func(ctx context.Context) error {
			_, err := b.Put(ctx, "put", content(1, 10))
			return err
		},
		"Open": func(ctx context.Context) error {
			r, _, err := b.Open(ctx, "k", "", 0, -1)
			if err == nil {
				err = r.Close()
			}
			return err
		},
		"Stat":         func(ctx context.Context) error { _, err := b.Stat(ctx, "k", ""); return err },
		"List":         func(ctx context.Context) error { return firstError(b.List(ctx, "")) },
		"ListVersions": func(ctx context.Context) error { return firstError(b.ListVersions(ctx, "")) },
		"Dirs":         func(ctx context.Context) error { return firstError(b.Dirs(ctx, "")) },
		"Retain":       func(ctx context.Context) error { return b.Retain(ctx, "k", "", s.until(3)) },
		"Lock":         func(ctx context.Context) error { _, err := b.Lock(ctx); return err },
		"CheckCreate":  func(ctx context.Context) error { return b.CheckCreate(ctx, "new") },
	}
}

// endless is a body without an end that calls then when after bytes were read.
type endless struct {
	after int64
	then  func()
	given int64
}

func (e *endless) Read(p []byte) (int, error) {
	e.given += int64(len(p))
	if e.given >= e.after {
		e.then()
	}
	if e.given > e.after+1<<30 {
		return 0, errors.New("a GiB was read after the context was cancelled")
	}
	return len(p), nil
}
