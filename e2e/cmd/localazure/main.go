// Command localazure is Azure on a laptop: a blob endpoint with a vault container under a retention policy and a staging
// container, identities that may do what they may do on Azure, and, with -function, the function app woken by markers.
// It needs Azurite: scripts/install-deps test.
//
//	go run ./cmd/localazure -function ../dist/azure
//
// It prints what to paste into another shell. Ctrl-C ends it; everything is gone then.
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
	"github.com/pgseal/pgseal/e2e/functionshost"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "localazure:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	config   localazure.Config
	days     int
	function string
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("localazure", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.config.Listen, "listen", "127.0.0.1:9092", "`address` of the blob endpoint")
	flags.StringVar(&o.config.Vault, "vault", "vault", "`name` of the container with the policy")
	flags.StringVar(&o.config.Staging, "staging", "staging", "`name` of the container without one")
	flags.StringVar(&o.config.Prefix, "prefix", "", "`path` below which pgseal works in both containers")
	flags.IntVar(&o.days, "retention-days", 1, "period of the vault's retention policy in `days`; 0 for no policy")
	flags.BoolVar(&o.config.LegalHold, "legal-hold", false, "put a legal hold on the vault")
	flags.StringVar(&o.function, "function", "", "`directory` of the function app (azure.zip unpacked) to run on every marker")
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
	azure, err := localazure.New(o.config)
	if err != nil {
		return err
	}
	defer azure.Close()
	if o.function != "" {
		stop, err := runFinalizer(azure, o.function, stderr)
		if err != nil {
			return err
		}
		defer stop()
	}
	explain(stdout, azure, o)
	<-ctx.Done()
	fmt.Fprintln(stderr, "localazure: stopped")
	return nil
}

// runFinalizer runs the function app on every marker, through a queue as in production, until stop.
func runFinalizer(azure *localazure.Azure, dir string, log io.Writer) (stop func(), err error) {
	env := append(azure.Env(cloud.Finalizer), functionshost.Settings()...)
	env = append(env, "PGSEAL_VAULT_URL="+azure.VaultURL(), "PGSEAL_STAGING_URL="+azure.StagingURL())
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "PGSEAL_") && name != "PGSEAL_VAULT_URL" && name != "PGSEAL_STAGING_URL" {
			env = append(env, variable)
		}
	}
	host, err := functionshost.New(functionshost.Config{Dir: dir, Env: env, Log: log})
	if err != nil {
		return nil, err
	}
	queue, err := host.Queue("finalize", 30*time.Second)
	if err != nil {
		host.Close()
		return nil, err
	}
	cancel := azure.Created(azure.Staging, azure.Root()+"_pgseal/complete/", func(e cloud.Event) {
		queue.Deliver(localazure.EventGridEvent(e.Record.(localazure.Record)))
	})
	return func() {
		cancel()
		queue.Close()
		host.Close()
	}, nil
}

// explain prints where everything is and what to paste into a shell.
func explain(w io.Writer, azure *localazure.Azure, o options) {
	lock := "no retention policy"
	if o.days > 0 {
		lock = fmt.Sprintf("retention policy of the container in days: %d", o.days)
	}
	fmt.Fprintf(w, "endpoint   %s\n", azure.Endpoint)
	fmt.Fprintf(w, "vault      %s  (%s)\n", azure.VaultURL(), lock)
	fmt.Fprintf(w, "staging    %s\n", azure.StagingURL())
	if o.function != "" {
		fmt.Fprintf(w, "finalizer  %s, woken by %s\n", o.function, azure.StagingURL()+"/_pgseal/complete/")
	}
	for _, one := range []struct{ who, role string }{
		{cloud.Host, "the database host: creates in the vault, replaces, deletes and seals nothing"},
		{cloud.Finalizer, "the function: creates backup.info once, and verdicts"},
		{cloud.Restore, "reads; for barman-cloud-backup-list, -restore, -wal-restore (with --cloud-provider azure-blob-storage)"},
		{cloud.Operator, "reads, and keeps backups with barman-cloud-backup-keep"},
		{cloud.Breakglass, "may do anything that the policy allows; to damage things on purpose"},
	} {
		fmt.Fprintf(w, "\n# %s: %s\n", one.who, one.role)
		for _, variable := range azure.Env(one.who) {
			name, value, _ := strings.Cut(variable, "=")
			fmt.Fprintf(w, "export %s='%s'\n", name, value)
		}
	}
	fmt.Fprintf(w, "\nCtrl-C ends it.\n")
}
