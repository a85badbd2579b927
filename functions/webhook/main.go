// Command webhook is the finalizer as an HTTP service, for S3-compatible
// servers that tell of new objects by HTTP and run no functions: versitygw,
// Ceph, MinIO, StorageGRID.
//
//	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o webhook ./functions/webhook
//
// The server posts its notifications to /events; /healthz, /readyz and /metrics
// are for whoever looks after the service. It sweeps when it starts, for what
// was told while it was away, and every PGSEAL_SWEEP_EVERY from then on.
//
// It takes no arguments. Its settings are the environment variables of
// settings.go, PGSEAL_VAULT_URL, PGSEAL_STAGING_URL, those of package finalizer,
// and those of the AWS SDK, of which AWS_ENDPOINT_URL_S3 names the server.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/functions/wake"
)

func main() {
	wake.LimitMemory(wake.ContainerMemory(), os.Getenv)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := start(ctx, log); err != nil {
		log.Error("the service ends", "error", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, log *slog.Logger) error {
	if len(os.Args) > 1 {
		return errors.New("there are no arguments: its settings are environment variables, docs/on-premises.md has them")
	}
	set, err := settingsFromEnv(os.Getenv)
	if err != nil {
		return err
	}
	// The stores outlive the signal that ends the service.
	f, err := wake.Open(context.WithoutCancel(ctx), os.Getenv, openBucket, log)
	if err != nil {
		return err
	}
	return newService(set, f.Backup, f.Finalize, f.Sweep, log).run(ctx)
}

func openBucket(ctx context.Context, url string) (bucket.Bucket, error) {
	return s3bucket.Open(ctx, s3bucket.Options{URL: url})
}
