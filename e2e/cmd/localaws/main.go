// Command localaws is AWS on a laptop: an S3 endpoint with a locked vault and a staging bucket, identities that may do
// what they may do on AWS, and, with -bootstrap, the Lambda function woken by markers.
//
//	go run ./cmd/localaws -bootstrap ../bin/bootstrap-amd64
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

	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

func main() {
	localaws.Hijack()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "localaws:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	config    localaws.Config
	days      int
	bootstrap string
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("localaws", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.config.Listen, "listen", "127.0.0.1:9090", "`address` of the S3 endpoint")
	flags.StringVar(&o.config.Dir, "dir", "", "`directory` that keeps buckets and keys; default a temporary one")
	flags.StringVar(&o.config.Vault, "vault", "vault", "`name` of the locked bucket")
	flags.StringVar(&o.config.Staging, "staging", "staging", "`name` of the bucket without a lock")
	flags.StringVar(&o.config.Prefix, "prefix", "", "`prefix` below which pgseal works in both buckets")
	flags.IntVar(&o.days, "retention-days", 1, "default retention of the vault in `days`, COMPLIANCE; 0 for none")
	flags.BoolVar(&o.config.HostMaySetRetention, "host-may-set-retention", false, "let the host choose the lock of what it creates")
	flags.StringVar(&o.bootstrap, "bootstrap", "", "`path` of the Lambda binary to run as the finalizer on every marker")
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
	aws, err := localaws.New(o.config)
	if err != nil {
		return err
	}
	defer aws.Close()
	if o.bootstrap != "" {
		stop, err := runFinalizer(ctx, aws, o.bootstrap, stderr)
		if err != nil {
			return err
		}
		defer stop()
	}
	explain(stdout, aws, o)
	<-ctx.Done()
	fmt.Fprintln(stderr, "localaws: stopped")
	return nil
}

// runFinalizer runs the binary as the finalizer on every marker, through a queue as in production, until stop.
func runFinalizer(ctx context.Context, aws *localaws.AWS, bootstrap string, log io.Writer) (stop func(), err error) {
	env := append(aws.Finalizer.Env(),
		"PGSEAL_VAULT_URL="+aws.VaultURL(),
		"PGSEAL_STAGING_URL="+aws.StagingURL())
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "PGSEAL_") && name != "PGSEAL_VAULT_URL" && name != "PGSEAL_STAGING_URL" {
			env = append(env, variable)
		}
	}
	function, err := runtimeapi.New(runtimeapi.Config{Bootstrap: bootstrap, Env: env, Log: log})
	if err != nil {
		return nil, err
	}
	queue := aws.Queue(aws.Markers(), localaws.QueueConfig{VisibilityTimeout: 30 * time.Second, MaxReceives: 20})
	driving, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		queue.Drive(driving, 1, function.Invoke)
		close(ended)
	}()
	return func() {
		cancel()
		<-ended
		function.Close()
	}, nil
}
