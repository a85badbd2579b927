// Command handler is the finalizer as an Azure Functions app: a custom handler,
// which the Functions host starts and sends events to on a local port.
//
//	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath -ldflags "-s -w" -o handler ./functions/azure
//
// host.json and one directory for each function stand beside it and are shipped
// with it. The function finalize takes the messages of a storage queue, into
// which Event Grid puts an event for each marker in staging; the queue is named
// by PGSEAL_QUEUE_NAME, and reached through the connection PGSEAL_QUEUE, as in
// PGSEAL_QUEUE__queueServiceUri and PGSEAL_QUEUE__credential=managedidentity.
// It takes Event Grid's events as well, when function.json is changed to an
// eventGridTrigger; there are no 30 seconds to answer in, and no order of
// deployment to keep, with a queue. The function sweep runs as
// PGSEAL_SWEEP_SCHEDULE says, as in "0 */15 * * * *".
//
// Its settings are the environment variables PGSEAL_VAULT_URL,
// PGSEAL_STAGING_URL and those of package finalizer.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/functions/wake"
)

// envPort is where the host says on which port it will ask.
const envPort = "FUNCTIONS_CUSTOMHANDLER_PORT"

func main() {
	wake.LimitMemory(wake.ContainerMemory(), os.Getenv)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := serve(log); err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
}

func serve(log *slog.Logger) error {
	f, err := wake.Open(context.Background(), os.Getenv, openBucket, log)
	if err != nil {
		return err
	}
	port := os.Getenv(envPort)
	if port == "" {
		return errors.New(envPort + " is not set: this program is started by the Azure Functions host")
	}
	h := handler{finalize: f.Finalize, sweep: f.Sweep, log: log}
	server := http.Server{Addr: net.JoinHostPort("127.0.0.1", port), Handler: h.routes(), ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}

func openBucket(ctx context.Context, url string) (bucket.Bucket, error) {
	return azurebucket.Open(ctx, azurebucket.Options{URL: url})
}
