package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

// faulty is a real bucket whose creates end as the test says.
type faulty struct {
	bucket.Bucket
	stores bool // whether the create happens before its answer
	answer error
	unread bool // the refusal comes before the body was read
}

func (f faulty) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	if f.stores {
		if obj, err := f.Bucket.Create(ctx, key, r, o); err != nil {
			return obj, err
		}
	} else if !f.unread {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return bucket.Object{}, err
		}
	}
	return bucket.Object{}, &bucket.Error{Op: "create", Key: key, Kind: f.answer}
}

func TestAnAnswerIsOnlyBelievedAfterLooking(t *testing.T) {
	for name, tc := range map[string]struct {
		there string // what stands at the key before
		fault faulty
		want  error
	}{
		"stored, but the answer was lost":                        {fault: faulty{stores: true, answer: bucket.ErrUnavailable}},
		"stored, and an inner retry found it there":              {fault: faulty{stores: true, answer: bucket.ErrExists}},
		"stored, and an inner retry found it locked":             {fault: faulty{stores: true, answer: bucket.ErrRetained}},
		"not stored, and the answer was lost":                    {fault: faulty{answer: bucket.ErrUnavailable}, want: bucket.ErrUnavailable},
		"throttled":                                              {fault: faulty{answer: bucket.ErrThrottled}, want: bucket.ErrThrottled},
		"denied, though the same bytes are there":                {there: "body", fault: faulty{answer: bucket.ErrDenied}, want: bucket.ErrDenied},
		"the same bytes are there":                               {there: "body", fault: faulty{answer: bucket.ErrExists}},
		"the same bytes are there, refused before the body":      {there: "body", fault: faulty{answer: bucket.ErrExists, unread: true}},
		"other bytes are there":                                  {there: "bodx", fault: faulty{answer: bucket.ErrExists}, want: bucket.ErrDiffers},
		"other bytes are there, refused before the body":         {there: "bodx", fault: faulty{answer: bucket.ErrRetained, unread: true}, want: bucket.ErrDiffers},
		"longer bytes are there":                                 {there: "body and more", fault: faulty{answer: bucket.ErrExists}, want: bucket.ErrDiffers},
		"shorter bytes are there":                                {there: "bod", fault: faulty{answer: bucket.ErrExists}, want: bucket.ErrDiffers},
		"the answer was lost, and other bytes are there":         {there: "bodx", fault: faulty{answer: bucket.ErrUnavailable}, want: bucket.ErrDiffers},
		"it exists, but is gone when one looks":                  {fault: faulty{answer: bucket.ErrExists}, want: bucket.ErrNotFound},
		"unavailable before the body was read, nothing is there": {fault: faulty{answer: bucket.ErrUnavailable, unread: true}, want: bucket.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			for _, how := range []string{"CreateOrMatch", "CreateStream"} {
				b := newVault(t)
				if tc.there != "" {
					store(t, b, "k", tc.there)
				}
				tc.fault.Bucket = b
				var obj bucket.Object
				var err error
				if how == "CreateStream" {
					obj, err = bucket.CreateStream(t.Context(), tc.fault, "k", strings.NewReader("body"), bucket.CreateOptions{})
				} else {
					obj, err = bucket.CreateOrMatch(t.Context(), tc.fault, "k", []byte("body"), bucket.CreateOptions{})
				}
				if !errors.Is(err, tc.want) {
					t.Fatalf("%s = %v, want %v", how, err, tc.want)
				}
				if tc.want != nil {
					continue
				}
				if want, err := b.Stat(t.Context(), "k", ""); err != nil || obj.CRC32C != want.CRC32C || obj.Size != 4 || !obj.RetentionSeen {
					t.Errorf("%s = %+v, want %+v (%v)", how, obj, want, err)
				}
			}
		})
	}
}

func TestADifferenceIsToldWithTheLock(t *testing.T) {
	dir := "file://" + t.TempDir() + "/v"
	if err := filebucket.Init(dir, filebucket.Lock{Default: 1e15}); err != nil {
		t.Fatal(err)
	}
	b, err := filebucket.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	obj := store(t, b, "k", "one")
	_, err = bucket.CreateOrMatch(t.Context(), b, "k", []byte("two"), bucket.CreateOptions{})
	if !errors.Is(err, bucket.ErrDiffers) || !errors.Is(err, bucket.ErrRetained) ||
		!strings.Contains(err.Error(), obj.RetainUntil.UTC().Format("2006-01-02 15:04:05Z")) || !strings.Contains(err.Error(), b.URL()+"/k") {
		t.Errorf("%v, want the object and the end of its retention", err)
	}
}

func TestABodyThatBreaksOffIsNoMatch(t *testing.T) {
	b := newVault(t)
	store(t, b, "k", "body")
	broken := errors.New("broken")
	for _, unread := range []bool{false, true} {
		f := faulty{Bucket: b, answer: bucket.ErrExists, unread: unread}
		r := io.MultiReader(bytes.NewReader([]byte("body")), iotest.ErrReader(broken))
		if _, err := bucket.CreateStream(t.Context(), f, "k", r, bucket.CreateOptions{}); !errors.Is(err, broken) {
			t.Errorf("unread %t: %v, want the reader's error", unread, err)
		}
	}
}

func TestCancelledIsNotWorthTryingAgain(t *testing.T) {
	for kind, want := range map[error]bool{
		bucket.ErrThrottled: true, bucket.ErrUnavailable: true, context.DeadlineExceeded: true,
		bucket.ErrDenied: false, bucket.ErrNotFound: false, bucket.ErrInvalid: false, bucket.ErrRetained: false, context.Canceled: false,
	} {
		if got := bucket.Retryable(&bucket.Error{Kind: kind}); got != want {
			t.Errorf("Retryable(%v) = %t", kind, got)
		}
	}
	if bucket.Retryable(&bucket.Error{Kind: bucket.ErrUnavailable, Err: context.Canceled}) {
		t.Error("a read that was cancelled counts as one that failed")
	}
}

func TestErrorsSayTheObjectTheKindAndTheStoresWords(t *testing.T) {
	for want, e := range map[string]*bucket.Error{
		"create s3://b/k: already exists (412 PreconditionFailed)": {Op: "create", Key: "s3://b/k", Kind: bucket.ErrExists, Code: "412 PreconditionFailed", Err: io.EOF},
		"read s3://b/k: store unavailable: EOF":                    {Op: "read", Key: "s3://b/k", Kind: bucket.ErrUnavailable, Err: io.EOF},
		"read s3://b/k: not found":                                 {Op: "read", Key: "s3://b/k", Kind: bucket.ErrNotFound},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
		if e.Err != nil && !errors.Is(e, io.EOF) || !errors.Is(e, e.Kind) {
			t.Errorf("%v hides its cause or its kind", e)
		}
	}
}

func newVault(t *testing.T) bucket.Bucket {
	t.Helper()
	dir := "file://" + t.TempDir() + "/v"
	if err := filebucket.Init(dir, filebucket.Lock{}); err != nil {
		t.Fatal(err)
	}
	b, err := filebucket.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func store(t *testing.T, b bucket.Bucket, key, text string) bucket.Object {
	t.Helper()
	obj, err := b.Create(t.Context(), key, strings.NewReader(text), bucket.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}
