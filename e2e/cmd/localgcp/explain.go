package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

// explain prints where everything is and what to paste into a shell.
func explain(w io.Writer, gcp *localgcp.GCP, o options) {
	lock := "no retention policy, objects may have a retention of their own"
	if o.days > 0 {
		lock = fmt.Sprintf("retention policy in days: %d", o.days)
		if o.config.LockPolicy {
			lock += ", locked"
		}
	}
	fmt.Fprintf(w, "API          %s\n", gcp.Endpoint)
	fmt.Fprintf(w, "vault        %s  (%s)\n", gcp.VaultURL(), lock)
	fmt.Fprintf(w, "staging      %s\n", gcp.StagingURL())
	fmt.Fprintf(w, "data in      %s\n", gcp.Dir)
	if o.function != "" {
		fmt.Fprintf(w, "finalizer    %s, woken by gs://%s/%s\n", o.function, gcp.Staging, gcp.Markers())
	}
	for _, one := range []struct{ who, role string }{
		{cloud.Host, "the database host: creates in the vault, replaces, deletes and seals nothing"},
		{cloud.Finalizer, "the function: creates backup.info once, and verdicts"},
		{cloud.Restore, "reads"},
		{cloud.Operator, "reads, and keeps backups with barman-cloud-backup-keep"},
		{cloud.Breakglass, "may do anything that a lock allows; to damage things on purpose"},
	} {
		fmt.Fprintf(w, "\n# %s: %s\n", one.who, one.role)
		for _, variable := range gcp.Env(one.who) {
			name, value, _ := strings.Cut(variable, "=")
			fmt.Fprintf(w, "export %s=%s\n", name, value)
		}
	}
	fmt.Fprintf(w, "\nCtrl-C ends it.\n")
}
