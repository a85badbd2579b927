// Package gcp is the finalizer as a Google Cloud function: a CloudEvent
// function with the entry point Finalize, for the runtime go126 and newer.
//
// It is woken by the creation of a marker in staging: by a notification of the
// bucket through Pub/Sub, which can be limited to the markers' prefix, or
// directly by google.cloud.storage.object.v1.finalized, which cannot. It sweeps
// when a message on the same topic has the attribute pgseal=sweep, which Cloud
// Scheduler can send. Its settings are the environment variables PGSEAL_VAULT_URL, PGSEAL_STAGING_URL
// and those of package finalizer.
//
// Google builds it from its source; `make package` makes dist/gcp-source.zip,
// the source with all that it needs.
package gcp

import (
	"context"
	"log/slog"
	"os"
	"sync"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

func init() {
	wake.LimitMemory(wake.ContainerMemory(), os.Getenv)
	f := newFunction(os.Getenv, openBucket, slog.New(logHandler(os.Stderr)))
	functions.CloudEvent("Finalize", f.handle)
}

// function opens the stores with its first event, and answers every event with
// the error when they cannot be opened: the framework knows no error at the
// start but the end of the process, which Cloud Run shows as an instance that
// does not listen.
type function struct {
	open func() (*wake.Function, error)
	log  *slog.Logger
}

func newFunction(getenv func(string) string, open func(context.Context, string) (bucket.Bucket, error), log *slog.Logger) *function {
	setting := func(name string) string {
		value := getenv(name)
		if name == finalizer.EnvDeadline && value == "" {
			return defaultDeadline
		}
		return value
	}
	return &function{log: log, open: sync.OnceValues(func() (*wake.Function, error) {
		// The stores outlive the event that opens them.
		return wake.Open(context.Background(), setting, open, log)
	})}
}

// defaultDeadline is the timeout that a function has when none is set
// ("Configure request timeout" in the documentation of Cloud Run functions,
// November 2026). Nothing in a request tells another one; the framework ends
// the context itself where CLOUD_RUN_TIMEOUT_SECONDS is set, and then the
// earlier end counts.
const defaultDeadline = "60s"

// handle lets an event come again by an error, which is worth it only for what
// may end differently: Pub/Sub delivers it for as long as it keeps it, one day
// with Eventarc, or until the dead-letter topic takes it.
//
// So it is with an event of another bucket: somebody must correct the trigger
// or the setting, and then the next delivery is the right one. An event that
// cannot be read stays as it is, and is dropped with an error in the log. So is
// a sweep that failed: the schedule brings the next one, and deliveries until
// tomorrow would only bring the same one many times.
func (f *function) handle(ctx context.Context, e event.Event) error {
	return wake.Guard(f.log, func() error {
		w, err := f.open()
		if err != nil {
			f.log.Error("the function cannot start", "error", err)
			return err
		}
		asked, err := askedBy(e)
		if err != nil {
			f.log.Error("an event is dropped", "event_id", e.ID(), "source", e.Source(), "error", err)
			return nil
		}
		if asked.sweep {
			_, _ = w.Sweep(ctx) // logs its error
			return nil
		}
		_, err = w.Finalize(ctx, asked.created)
		return err
	})
}

func openBucket(ctx context.Context, url string) (bucket.Bucket, error) {
	return gcsbucket.Open(ctx, gcsbucket.Options{URL: url})
}
