package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/uploader/option"
)

// sweep is "pgseal sweep": one run of the sweep by hand or from cron. What it finds goes to the log, as in the function;
// its exit code says only whether everything could be looked at.
func sweep(ctx context.Context, v *option.Values, env *Env) error {
	if v.String("staging-url") == "" {
		return option.Errorf("--staging-url (or PGSEAL_STAGING_URL) is missing: verdicts and findings are kept there")
	}
	config, err := finalizer.ConfigFromEnv(func(name string) string { value, _ := env.Lookup(name); return value })
	if err != nil {
		return option.Errorf("%v", err)
	}
	vault, staging, err := openForReading(ctx, v)
	if err != nil {
		return err
	}
	report, err := newFinalizer(env, vault, staging, config).Sweep(ctx)
	if v.String("format") == "json" {
		return errors.Join(err, writeJSON(env.Stdout, report))
	}
	r := report
	fmt.Fprintf(env.Stdout, "%d servers, %d backups looked at: %d sealed, %d waiting, %d rejected, %d in conflict, %d abandoned\n"+
		"%d audited: %d tampered with, %d damaged; %d unfinished uploads ended; %d could not be looked at; %d requests\n",
		r.Servers, r.Looked, r.Sealed, r.Waiting, r.Rejected, r.Conflicts, r.Abandoned, r.Audited, r.Tampered, r.Damaged, r.Ended, r.Failed, r.Requests)
	if !r.Done && err == nil {
		fmt.Fprintln(env.Stdout, "time or requests were used up; the next run goes on from here")
	}
	return err
}
