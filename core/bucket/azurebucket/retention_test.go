package azurebucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestWhatALockIsCalled(t *testing.T) {
	for _, tc := range []struct {
		lock string
		want bucket.Lock
	}{
		{"", bucket.Lock{}},
		{"policy", bucket.Lock{Enabled: true, Mode: "container policy", Default: time.Hour}},
		{"policy hold", bucket.Lock{Enabled: true, Mode: "container policy", Default: time.Hour}},
		{"hold", bucket.Lock{Enabled: true, Mode: "legal hold"}},
		{"versions", bucket.Lock{Enabled: true, Mode: "version-level", Versioning: true}},
		{"versions policy", bucket.Lock{Enabled: true, Mode: "version-level", Versioning: true}},
	} {
		b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { locked(w, tc.lock) }, func(o *Options) { o.Retention = time.Hour })
		if got, err := b.Lock(t.Context()); err != nil || got != tc.want {
			t.Errorf("%q: %+v, %v, want %+v", tc.lock, got, err, tc.want)
		}
	}
	b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { refuse(w, 403, "AuthorizationPermissionMismatch", "") })
	if _, err := b.Lock(t.Context()); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("%v, want ErrDenied: not seen is not unlocked", err)
	}
}

func TestThePeriodIsStatedInTheEnvironment(t *testing.T) {
	answer := func(_ int, _ request, w http.ResponseWriter) {
		locked(w, "policy")
		w.Header().Set("x-ms-creation-time", "Thu, 01 Jan 2026 00:00:00 GMT")
	}
	open := func(o *Options) { t.Setenv(EnvRetention, "30d") }
	b, _ := connectTo(t, answer, open)
	if o, err := b.Stat(t.Context(), "k", ""); err != nil || !o.RetentionSeen || !o.RetainUntil.Equal(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", o, err)
	}
	b, _ = connectTo(t, answer)
	if o, err := b.Stat(t.Context(), "k", ""); err != nil || o.RetentionSeen || !o.RetainUntil.IsZero() {
		t.Errorf("nobody stated it: %+v, %v", o, err)
	}
}

// A heartbeat is told by its age, and a blob that is overwritten keeps its creation. A policy counts from that all the same.
func TestABlobIsAsOldAsWhatIsInIt(t *testing.T) {
	b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
		locked(w, "policy")
		w.Header().Set("x-ms-creation-time", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Header().Set("Last-Modified", "Sat, 03 Jan 2026 00:00:00 GMT")
	}, func(o *Options) { o.Retention = 30 * 24 * time.Hour })
	written, until := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	if o, err := b.Stat(t.Context(), "k", ""); err != nil || !o.Created.Equal(written) || !o.RetainUntil.Equal(until) {
		t.Errorf("%+v, %v", o, err)
	}
	_, o, err := b.Open(t.Context(), "k", "", 0, -1)
	if err != nil || !o.Created.Equal(written) {
		t.Errorf("%+v, %v", o, err)
	}
	if err := b.Retain(t.Context(), "k", "", until.Add(24*time.Hour)); !errors.Is(err, bucket.ErrInvalid) {
		t.Errorf("the policy does not keep it that long: %v", err)
	}
}

func TestHowRetentionIsExtended(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name, lock, own string
		period          time.Duration
		until           time.Time
		want            error
		set             string // the end that was sent
	}{
		{name: "a container's policy ends there", lock: "policy", period: 30 * day, until: created.Add(30 * day)},
		{name: "a container's policy ends later", lock: "policy", period: 30 * day, until: created.Add(29 * day), want: bucket.ErrRetained},
		{name: "a container's policy ends earlier", lock: "policy", period: 30 * day, until: created.Add(31 * day), want: bucket.ErrInvalid},
		{name: "nobody stated the period", lock: "policy", until: created.Add(day), want: bucket.ErrInvalid},
		{name: "a hold", lock: "hold", period: 30 * day, until: created.Add(day), want: bucket.ErrInvalid},
		{name: "no lock", period: 30 * day, until: created.Add(day), want: bucket.ErrInvalid},
		{name: "a version's policy is extended", lock: "versions", own: "Thu, 08 Jan 2026 00:00:00 GMT", until: created.Add(8 * day), set: "Fri, 09 Jan 2026 00:00:00 GMT"},
		{name: "a version gets a policy", lock: "versions", until: created.Add(8 * day), set: "Fri, 09 Jan 2026 00:00:00 GMT"},
		{name: "a version's policy is not shortened", lock: "versions", own: "Thu, 08 Jan 2026 00:00:00 GMT", until: created.Add(6 * day), want: bucket.ErrRetained},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set := ""
			b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
				switch {
				case r.is("container"):
					locked(w, tc.lock)
				case r.is("HEAD"):
					w.Header().Set("x-ms-creation-time", "Thu, 01 Jan 2026 00:00:00 GMT")
					if tc.own != "" {
						w.Header().Set("x-ms-immutability-policy-until-date", tc.own)
					}
				case r.is("Set Immutability Policy"):
					set = r.Header.Get("x-ms-immutability-policy-until-date")
					if !strings.EqualFold(r.Header.Get("x-ms-immutability-policy-mode"), "locked") {
						t.Errorf("mode %q", r.Header.Get("x-ms-immutability-policy-mode"))
					}
				default:
					t.Errorf("%s %v", r.Method, r.Query)
				}
			}, func(o *Options) { o.Retention = tc.period })
			err := b.Retain(t.Context(), "k", "", tc.until)
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil || set != tc.set {
				t.Errorf("%v, and %q was set; want %v and %q", err, set, tc.want, tc.set)
			}
		})
	}
}
