package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// explain prints where everything is and what to paste into a shell.
func explain(w io.Writer, aws *localaws.AWS, o options) {
	lock := "Object Lock, no default retention"
	if o.days > 0 {
		lock = fmt.Sprintf("Object Lock, COMPLIANCE, default retention in days: %d", o.days)
	}
	fmt.Fprintf(w, "S3 endpoint  %s\n", aws.Endpoint)
	fmt.Fprintf(w, "vault        %s  (%s)\n", aws.VaultURL(), lock)
	fmt.Fprintf(w, "staging      %s\n", aws.StagingURL())
	fmt.Fprintf(w, "data in      %s\n", aws.Dir)
	if o.bootstrap != "" {
		fmt.Fprintf(w, "finalizer    %s, woken by %s\n", o.bootstrap, aws.StagingURL()+"/_pgseal/complete/")
	}
	for _, one := range []struct {
		who  localaws.Identity
		role string
	}{
		{aws.Host, "the database host: creates in the vault, replaces, deletes and seals nothing"},
		{aws.Finalizer, "the function: creates backup.info once, and verdicts"},
		{aws.Restore, "reads; for barman-cloud-backup-list, -restore, -wal-restore (add --endpoint-url " + aws.Endpoint + ")"},
		{aws.Operator, "reads, and keeps backups with barman-cloud-backup-keep"},
		{aws.Breakglass, "may do anything that a COMPLIANCE lock allows; to damage things on purpose"},
	} {
		fmt.Fprintf(w, "\n# %s: %s\n", one.who.Name, one.role)
		for _, variable := range one.who.Env() {
			name, value, _ := strings.Cut(variable, "=")
			fmt.Fprintf(w, "export %s=%s\n", name, value)
		}
	}
	fmt.Fprintf(w, "\nCtrl-C ends it.\n")
}
