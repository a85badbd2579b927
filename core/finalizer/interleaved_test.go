package finalizer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

// watched is a real vault in which something happens just before or after the
// seal is created.
type watched struct {
	bucket.Bucket
	before, after func()
	lose          bool                                        // the answer of the create
	blind         bool                                        // shows no retention
	hidden        func(yield func(bucket.Object, error) bool) // further versions in every listing
}

func (w *watched) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	if w.before != nil {
		w.before()
		w.before = nil
	}
	obj, err := w.Bucket.Create(ctx, key, r, o)
	if w.after != nil {
		w.after()
		w.after = nil
	}
	if w.lose && err == nil {
		w.lose = false
		return bucket.Object{}, &bucket.Error{Op: "create", Key: key, Kind: bucket.ErrUnavailable, Code: "connection reset"}
	}
	return obj, err
}

func (w *watched) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for obj, err := range w.Bucket.ListVersions(ctx, prefix) {
			if w.blind {
				obj.RetentionSeen, obj.RetainUntil = false, time.Time{}
			}
			if !yield(obj, err) {
				return
			}
		}
		if w.hidden != nil {
			w.hidden(yield)
		}
	}
}

func (w *watched) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	obj, err := w.Bucket.Stat(ctx, key, version)
	if w.blind {
		obj.RetentionSeen, obj.RetainUntil = false, time.Time{}
	}
	return obj, err
}

func watchedPlace(t *testing.T, lock time.Duration) (*place, *watched) {
	p := newPlace(t, lock)
	w := &watched{Bucket: p.vault}
	p.f.Vault = w
	p.set.Upload(t, p.vault)
	return p, w
}

func TestALostAnswerOfTheSealIsLookedUp(t *testing.T) {
	p, w := watchedPlace(t, 0)
	w.lose = true
	if v := p.finalize(t); v.State != finalizer.Sealed || v.Receipt == nil {
		t.Fatalf("%+v", v)
	}
}

func TestAForgedSealThatComesFirstIsAConflict(t *testing.T) {
	p, w := watchedPlace(t, 0)
	w.before = func() { p.set.Create(t, p.vault, p.set.Key("backup.info"), []byte("status=DONE\n")) }
	if v := p.finalize(t); v.State != finalizer.Conflict {
		t.Fatalf("%+v", v)
	}
}

func TestTheSameSealByAnotherCallIsASuccess(t *testing.T) {
	p, w := watchedPlace(t, 0)
	body, err := finalizer.Render(p.set.Manifest, digest(t, p.set.Manifest), false)
	if err != nil {
		t.Fatal(err)
	}
	w.before = func() { p.set.Create(t, p.vault, p.set.Key("backup.info"), body) }
	if v := p.finalize(t); v.State != finalizer.Sealed || !bytes.Equal(body, p.seal(t)) {
		t.Fatalf("%+v", v)
	}
}

func TestWhatSlipsInBetweenIsAFinding(t *testing.T) {
	p, w := watchedPlace(t, 0)
	w.after = func() { p.set.Create(t, p.vault, p.set.Key("data_0002.tar"), []byte("x")) }
	v := p.finalize(t)
	if v.State != finalizer.Sealed || len(v.Findings) != 1 || v.Findings[0].Code != "extra" || !strings.HasSuffix(v.Findings[0].Object, "data_0002.tar") {
		t.Fatalf("%+v", v)
	}
}

func TestARetentionThatCannotBeSeenIsNoAnswer(t *testing.T) {
	p, w := watchedPlace(t, time.Hour)
	w.blind = true
	p.f.Config.MinRetention = time.Minute
	_, err := p.f.Finalize(context.Background(), "main", p.set.ID())
	var access *finalizer.AccessError
	if !errors.As(err, &access) || !errors.Is(err, finalizer.ErrCannotSee) || p.seal(t) != nil {
		t.Fatal(err)
	}
	w.blind = false
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestSecondVersionsAndDeleteMarkersAreSeen(t *testing.T) {
	for name, test := range map[string]struct {
		object bucket.Object
		state  finalizer.State
		code   string
	}{
		"an archive that was written twice":         {bucket.Object{Key: "data.tar", Size: 14}, finalizer.Rejected, "versions"},
		"an archive under a delete marker":          {bucket.Object{Key: "data.tar", DeleteMarker: true, Latest: true}, finalizer.Rejected, "hidden"},
		"a manifest that was written twice":         {bucket.Object{Key: "manifest.json"}, finalizer.Rejected, "versions"},
		"a delete marker where the seal will stand": {bucket.Object{Key: "backup.info", DeleteMarker: true, Latest: true}, finalizer.Conflict, "other-seal"},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := watchedPlace(t, 0)
			obj := test.object
			obj.Key = p.set.Key(obj.Key)
			w.hidden = func(yield func(bucket.Object, error) bool) { yield(obj, nil) }
			if v := p.finalize(t); v.State != test.state || v.Reasons[0].Code != test.code {
				t.Errorf("%+v", v)
			}
			if p.seal(t) != nil {
				t.Error("a seal was written")
			}
		})
	}
}
