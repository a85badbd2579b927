// Package wake is what the cloud functions have in common: it opens the two
// places that the environment names, and calls the finalizer for the markers of
// an event. Each function adds its own platform's events and answers.
package wake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/version"
)

// Names of the two variables that have no default.
const (
	EnvVault   = "PGSEAL_VAULT_URL"
	EnvStaging = "PGSEAL_STAGING_URL"
)

// Function is the finalizer, woken by events. It may be used by several
// goroutines at once.
type Function struct {
	finalize func(ctx context.Context, server, id string) (finalizer.Verdict, error)
	sweep    func(ctx context.Context) (finalizer.SweepReport, error)
	staging  string // URL, without a slash at its end
	log      *slog.Logger
}

// Open reads the configuration and opens vault and staging with the platform's
// own driver; an error names the variable. The stores may keep ctx for as long
// as they are used.
func Open(ctx context.Context, getenv func(string) string, open func(ctx context.Context, url string) (bucket.Bucket, error), log *slog.Logger) (*Function, error) {
	config, err := finalizer.ConfigFromEnv(getenv)
	if err != nil {
		return nil, err
	}
	var places [2]bucket.Bucket
	for n, name := range []string{EnvVault, EnvStaging} {
		if places[n], err = open(ctx, getenv(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	vault, staging := places[0], places[1]
	v, st := vault.URL()+"/", staging.URL()+"/"
	if strings.HasPrefix(v, st) || strings.HasPrefix(st, v) {
		return nil, fmt.Errorf("%s and %s are the same place, or one inside the other: staging must not be locked, and the vault must be", EnvVault, EnvStaging)
	}
	f := finalizer.Finalizer{
		Vault: vault, Staging: staging, Config: config, Decompress: codec.Decompress,
		Now: time.Now, Build: version.String(), Log: log,
	}
	return &Function{finalize: f.Finalize, sweep: f.Sweep, staging: staging.URL(), log: log}, nil
}

// Object is a created object that an event names.
type Object struct {
	Bucket string // the bucket's or container's URL, as "s3://bucket"
	Key    string // decoded
}

// Result is one backup's verdict, for whoever reads a function's answer.
type Result struct {
	Server   string          `json:"server"`
	BackupID string          `json:"backup_id"`
	Verdict  finalizer.State `json:"verdict"`
	Class    finalizer.Class `json:"class,omitempty"`
}

// EventError: the event is none that this function can be woken by, or the
// trigger is connected to the wrong place.
type EventError struct{ Text string }

func (e *EventError) Error() string { return e.Text }

// Finalize calls Finalize once for each backup that the objects name, and gives
// the results and the first error after it has tried them all. The platform
// should deliver again what ends with an error.
func (f *Function) Finalize(ctx context.Context, created []Object) ([]Result, error) {
	results := []Result{}
	var errs []error
	done := map[Object]bool{}
	for _, o := range created {
		if done[o] {
			continue
		}
		done[o] = true
		server, id, err := f.Backup(o)
		if errors.Is(err, ErrStray) { // a host may write what it likes there
			f.log.Warn("not a marker: passed over", "key", o.Key, "error", err)
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		v, err := f.finalize(ctx, server, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		results = append(results, Result{server, id, v.State, v.Class})
	}
	if len(errs) == 0 {
		return results, nil
	}
	// Lambda shows the type's name, and metrics filter by it: the first error
	// speaks for all, and each is in the log.
	for _, err := range errs {
		f.log.Error("not finalized", "kind", kind(err), "error", err)
	}
	return results, errs[0]
}

// Sweep is the scheduled run. The schedule brings the next one by itself, so
// that an error is for the alarms more than for another try.
func (f *Function) Sweep(ctx context.Context) (finalizer.SweepReport, error) {
	report, err := f.sweep(ctx)
	if err != nil {
		f.log.Error("the sweep failed", "kind", kind(err), "error", err)
	}
	return report, err
}

// kind is the name of an error's type, which alarms match: TransientError,
// AccessError, EventError.
func kind(err error) string {
	name := fmt.Sprintf("%T", err)
	return name[strings.LastIndexByte(name, '.')+1:]
}

// ErrStray: an object of staging that is no marker.
var ErrStray = errors.New("not a marker")

// Backup reads a marker's key. An object in another bucket is an *EventError:
// the configuration is wrong, where the store tells of staging alone. One of
// staging whose key is no marker's is ErrStray.
func (f *Function) Backup(o Object) (server, id string, err error) {
	prefix, same := strings.CutPrefix(f.staging+"/", o.Bucket+"/")
	if !same {
		return "", "", &EventError{fmt.Sprintf("the event is of bucket %q, and %s is %q: connect the trigger to staging", o.Bucket, EnvStaging, f.staging)}
	}
	key, below := strings.CutPrefix(o.Key, prefix)
	if !below {
		return "", "", fmt.Errorf("%w: it does not begin with %q", ErrStray, prefix)
	}
	if server, id, err = layout.ParseMarker(key); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrStray, err)
	}
	return server, id, nil
}
