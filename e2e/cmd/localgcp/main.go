// Command localgcp is Google Cloud on a laptop: a Cloud Storage with a locked vault and a staging bucket, service
// accounts that may do what they may do on Google Cloud, and, with -function, the function woken by markers.
//
//	go run ./cmd/localgcp -function ../bin/gcp-server
//
// It prints what to paste into another shell. Ctrl-C ends it; without -dir everything is gone then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/functionsframework"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "localgcp:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	config   localgcp.Config
	days     int
	function string
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("localgcp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.config.Listen, "listen", "127.0.0.1:9091", "`address` of the API")
	flags.StringVar(&o.config.Dir, "dir", "", "`directory` that keeps buckets and keys; default a temporary one")
	flags.StringVar(&o.config.Vault, "vault", "vault", "`name` of the locked bucket")
	flags.StringVar(&o.config.Staging, "staging", "staging", "`name` of the bucket without a lock")
	flags.StringVar(&o.config.Prefix, "prefix", "", "`prefix` below which pgseal works in both buckets")
	flags.IntVar(&o.days, "retention-days", 1, "retention policy of the vault in `days`; 0 for none")
	flags.BoolVar(&o.config.LockPolicy, "lock-policy", false, "lock the vault's retention policy")
	flags.BoolVar(&o.config.HostMaySetRetention, "host-may-set-retention", false, "let the host choose the lock of what it creates")
	flags.StringVar(&o.function, "function", "", "`path` of the function's server to run as the finalizer on every marker")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.days < 0 || o.days > 36500 {
		return o, fmt.Errorf("-retention-days %d: must be from 0 to 36500", o.days)
	}
	o.config.VaultRetention = time.Duration(o.days) * 24 * time.Hour
	return o, nil
}

// run is the command until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	gcp, err := localgcp.New(o.config)
	if err != nil {
		return err
	}
	defer gcp.Close()
	if o.function != "" {
		stop, err := runFinalizer(gcp, o.function, stderr)
		if err != nil {
			return err
		}
		defer stop()
	}
	explain(stdout, gcp, o)
	<-ctx.Done()
	fmt.Fprintln(stderr, "localgcp: stopped")
	return nil
}

// runFinalizer runs the program as the finalizer on every marker, through a Pub/Sub subscription as in production,
// until stop.
func runFinalizer(gcp *localgcp.GCP, program string, log io.Writer) (stop func(), err error) {
	env := append(gcp.Env(cloud.Finalizer), "PGSEAL_VAULT_URL="+gcp.VaultURL(), "PGSEAL_STAGING_URL="+gcp.StagingURL())
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "PGSEAL_") && name != "PGSEAL_VAULT_URL" && name != "PGSEAL_STAGING_URL" {
			env = append(env, variable)
		}
	}
	function, err := functionsframework.New(functionsframework.Config{Program: program, Env: env, Log: log})
	if err != nil {
		return nil, err
	}
	subscription := function.Subscribe(functionsframework.SubscriptionConfig{Backoff: 10 * time.Second, MaxAttempts: 20})
	cancel := gcp.Subscribe(gcp.Staging, gcp.Markers(), func(f localgcp.Finalized) {
		message := functionsframework.Notification(f.Bucket, f.Name, f.Resource)
		if f.Overwrote != "" {
			message.Attributes["overwroteGeneration"] = f.Overwrote
		}
		subscription.Publish(message)
	})
	return func() {
		cancel()
		subscription.Close()
		function.Close()
	}, nil
}
