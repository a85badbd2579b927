package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/doctor"
	"github.com/pgseal/pgseal/uploader/postgres"
)

// place is a model of a store that answers as a real one does to a host with the right rights, but where a case says
// otherwise. What is tried through the real drivers on the local clouds stands in e2e/doctor_test.
type place struct {
	*membucket.Bucket
	lock    *bucket.Lock
	try     func(a bucket.Attempt, key string) error
	expiry  time.Duration
	errs    map[string]error // by method
	ahead   time.Duration
	kept    func(key string) // what Try stores
	uploads []bucket.Object
}

func denied(what string) error {
	return &bucket.Error{Op: what, Kind: bucket.ErrDenied, Code: "403 AccessDenied: it takes s3:" + what}
}

func (p *place) Lock(ctx context.Context) (bucket.Lock, error) {
	if p.lock != nil || p.errs["Lock"] != nil {
		return deref(p.lock), p.errs["Lock"]
	}
	return p.Bucket.Lock(ctx)
}

func deref(l *bucket.Lock) (lock bucket.Lock) {
	if l != nil {
		lock = *l
	}
	return lock
}

func (p *place) Try(_ context.Context, a bucket.Attempt, key string) error {
	if p.kept != nil {
		p.kept(key)
	}
	if p.try != nil {
		return p.try(a, key)
	}
	return denied("Try")
}

func (p *place) Expiry(context.Context) (time.Duration, error) { return p.expiry, p.errs["Expiry"] }

func (p *place) Clock(ctx context.Context) (time.Time, error) {
	now, err := p.Bucket.Clock(ctx)
	return now.Add(p.ahead), errors.Join(err, p.errs["Clock"])
}

func (p *place) Unfinished(context.Context, string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for _, u := range p.uploads {
			if !yield(u, nil) {
				return
			}
		}
		if err := p.errs["Unfinished"]; err != nil {
			yield(bucket.Object{}, err)
		}
	}
}

// world is a deployment that is well.
type world struct {
	doctor.Doctor
	vault, staging *place
	now            time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	open := func(url string, locked bool) *place {
		o := membucket.Options{Personality: membucket.S3, URL: url, Now: clock, Locked: locked}
		if locked {
			o.Default = 30 * 24 * time.Hour
		}
		return &place{Bucket: membucket.New(o).Bucket(), errs: map[string]error{}}
	}
	w.vault, w.staging = open("s3://vault/barman", true), open("s3://staging/barman", false)
	w.staging.expiry = 30 * 24 * time.Hour
	w.staging.try = func(bucket.Attempt, string) error { return nil }
	w.Doctor = doctor.Doctor{
		Vault: w.vault, Staging: w.staging, Server: "main", MaxAge: 26 * time.Hour, Decompress: codec.Decompress, Now: clock,
		Postgres: postgres.Options{Host: "/nonexistent"},
	}
	w.seal(t)
	return w
}

// seal uploads a small backup and seals it.
func (w *world) seal(t *testing.T) {
	t.Helper()
	f := finalizer.Finalizer{Vault: w.vault.Bucket, Staging: w.staging.Bucket, Config: finalizer.Config{}, Decompress: codec.Decompress, Now: w.Now}
	set := settest.New("main", w.now)
	if _, err := w.vault.Stat(t.Context(), layout.WAL("main", "000000010000000000000003", ""), ""); err == nil {
		set.UploadArchives(t, w.vault)
		set.UploadManifest(t, w.vault)
	} else {
		set.Upload(t, w.vault)
	}
	if v, err := f.Finalize(t.Context(), "main", set.ID()); err != nil || v.State != finalizer.Sealed {
		t.Fatalf("%+v, %v", v, err)
	}
}

func (w *world) problems(t *testing.T) (found map[string]doctor.State, report *doctor.Report) {
	t.Helper()
	r, err := w.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found = map[string]doctor.State{}
	for _, l := range r.Lines {
		if l.State == doctor.Warning || l.State == doctor.Critical {
			found[l.Check] = l.State
		}
	}
	return found, r
}

func TestWhatOnlySomeStoresDo(t *testing.T) {
	type found = map[string]doctor.State
	for name, tc := range map[string]struct {
		change func(t *testing.T, w *world)
		want   found
		unseen string // a check that has to be
	}{
		"all is well":             {change: func(*testing.T, *world) {}, want: found{}, unseen: "postgres"},
		"the lock cannot be seen": {change: func(_ *testing.T, w *world) { w.vault.errs["Lock"] = denied("Lock") }, want: found{}, unseen: "lock"},
		"the clock cannot be seen": {change: func(_ *testing.T, w *world) {
			w.vault.errs["Clock"], w.staging.errs["Clock"] = denied("x"), denied("x")
		}, want: found{}, unseen: "clock"},
		"Azure's period is not stated": {change: func(_ *testing.T, w *world) {
			w.vault.lock = &bucket.Lock{Enabled: true, Mode: "container policy", Versioning: true}
		}, want: found{}, unseen: "lock"},
		"versioning is suspended": {change: func(_ *testing.T, w *world) {
			w.vault.lock = &bucket.Lock{Enabled: true, Mode: "COMPLIANCE", Default: 30 * 24 * time.Hour}
		}, want: found{"versioning": doctor.Critical}},
		"the clock is a day off":          {change: func(_ *testing.T, w *world) { w.staging.ahead = -24 * time.Hour }, want: found{"clock": doctor.Critical}},
		"staging is emptied within a day": {change: func(_ *testing.T, w *world) { w.staging.expiry = 24 * time.Hour }, want: found{"staging-expiry": doctor.Warning}},
		"the store is away at a question": {change: func(_ *testing.T, w *world) {
			w.staging.errs["Expiry"] = &bucket.Error{Op: "read", Kind: bucket.ErrUnavailable}
		}, want: found{"staging-expiry": doctor.Critical}},
		"an attempt cannot be made": {change: func(_ *testing.T, w *world) {
			w.vault.try = func(bucket.Attempt, string) error { return &bucket.Error{Kind: bucket.ErrInvalid, Code: "not here"} }
		}, want: found{}, unseen: "no-delete"},
		"one of the settings cannot be tried, another is allowed": {change: func(_ *testing.T, w *world) {
			w.vault.try = func(a bucket.Attempt, _ string) error {
				switch a {
				case bucket.ToChangeLock:
					return &bucket.Error{Kind: bucket.ErrInvalid}
				case bucket.ToChangeLifecycle:
					return nil
				}
				return denied("x")
			}
		}, want: found{"no-settings": doctor.Critical}},
		"an upload is from yesterday, and one is under way": {change: func(_ *testing.T, w *world) {
			w.vault.uploads = []bucket.Object{{Key: "main/base/a", Created: w.now.Add(-time.Hour)}, {Key: "main/base/b", Created: w.now.Add(-25 * time.Hour)}}
		}, want: found{"uploads": doctor.Warning}},
		"an upload is under way": {change: func(_ *testing.T, w *world) {
			w.vault.uploads = []bucket.Object{{Key: "main/base/a", Created: w.now.Add(-time.Hour)}}
		}, want: found{}},
		"the sweep has stopped": {change: func(t *testing.T, w *world) {
			if _, err := w.staging.Put(t.Context(), layout.SweepCursor, nil); err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(25 * time.Hour)
		}, want: found{"sweep": doctor.Warning}},
		"the lock is shorter than the time between two seals": {change: func(_ *testing.T, w *world) {
			w.vault.lock = &bucket.Lock{Enabled: true, Mode: "COMPLIANCE", Default: 24 * time.Hour, Versioning: true}
			w.now, w.MaxAge = w.now.Add(48*time.Hour), 72*time.Hour
		}, want: found{"window": doctor.Warning}},
		"seals that come every two days leave five of seven": {change: func(t *testing.T, w *world) {
			w.vault.lock = &bucket.Lock{Enabled: true, Mode: "COMPLIANCE", Default: 7 * 24 * time.Hour, Versioning: true}
			w.now = w.now.Add(48 * time.Hour)
			w.seal(t)
			w.Window = 5 * 24 * time.Hour
		}, want: found{"window": doctor.Critical}},
		"a window that the lock covers": {change: func(t *testing.T, w *world) {
			w.now = w.now.Add(24 * time.Hour)
			w.seal(t)
			w.Window = 28 * 24 * time.Hour
		}, want: found{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.change(t, w)
			have, r := w.problems(t)
			if !maps.Equal(have, tc.want) {
				t.Errorf("problems %v, want %v\n%+v", have, tc.want, r.Lines)
			}
			for _, l := range r.Lines {
				if l.Check == tc.unseen && l.State != doctor.Unseen {
					t.Errorf("%+v", l)
				}
			}
			var table bytes.Buffer
			if err := r.Write(&table); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(table.String()) {
				if len([]rune(line)) > 101 {
					t.Errorf("%q", line)
				}
			}
		})
	}
}

// A store that keeps what contradicts its checksum would keep what is tried in the vault, too.
func TestNothingIsTriedInTheVaultAfterARehearsalThatFailed(t *testing.T) {
	w := newWorld(t)
	w.staging.kept = func(key string) {
		if _, err := w.staging.Put(t.Context(), key, []byte("x")); err != nil {
			t.Error(err)
		}
	}
	w.vault.kept = func(key string) { t.Errorf("%s was tried", key) }
	if have, r := w.problems(t); !maps.Equal(have, map[string]doctor.State{"rehearsal": doctor.Critical}) {
		t.Errorf("%v\n%+v", have, r.Lines)
	}
}

// Nothing is written where it could not be taken away again.
func TestNothingIsWrittenIntoAPlaceWithALock(t *testing.T) {
	w := newWorld(t)
	locked := membucket.New(membucket.Options{Personality: membucket.S3, URL: "s3://staging/barman", Now: w.Now, Locked: true, Default: time.Hour})
	w.staging.Bucket = locked.Bucket()
	if have, r := w.problems(t); !maps.Equal(have, map[string]doctor.State{"staging": doctor.Critical}) {
		t.Errorf("%v\n%+v", have, r.Lines)
	}
	if all := locked.Everything(""); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

func TestBrokenOff(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if r, err := w.Examine(ctx); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%+v, %v", r, err)
	}
}
