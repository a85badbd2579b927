package catalog

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/proof"
)

// states is every State, in the order in which monitoring is told of them.
var states = []State{Running, Complete, Waiting, Sealed, Rejected, Conflict, Failed, Abandoned, Unsealed, Leftovers, Tampered, Deleted, Foreign, Unreadable}

// WritePrometheus writes the catalogue in Prometheus' text format (version 0.0.4), as the textfile collector of
// node_exporter reads it. Times are moments, not ages: an age would stand still when nobody writes any more. What is not
// known has no sample; counts have one for every word, so that rules see a zero. Names and labels are an interface:
// some may be added, none is renamed or given another meaning.
func (c *Catalog) WritePrometheus(w io.Writer) error {
	e := &exposition{labels: fmt.Sprintf(`server="%s",vault="%s"`, escapeLabel(c.Server), escapeLabel(c.Vault))}
	e.moment("pgseal_status_timestamp_seconds", "When pgseal status wrote this, by the clock of its machine.", &c.At)
	severity, _ := c.Check(0, 0, 0)
	e.gauge("pgseal_check", "What pgseal status --check says without a limit on ages: 0 fine, 1 warning, 2 critical.")
	e.sample("", float64(severity))

	if n := c.Newest; n != nil {
		e.moment("pgseal_newest_seal_timestamp_seconds", "When the newest sealed backup ended.", &n.Time)
		for i := range c.Backups {
			if b := &c.Backups[i]; b.ID == n.BackupID {
				e.gauge("pgseal_newest_seal_bytes", "The size of the newest sealed backup's archives in the vault.")
				e.sample("", float64(b.Bytes))
				e.moment("pgseal_newest_seal_locked_until_timestamp_seconds", "When the first lock of the newest sealed backup ends.", b.LockedUntil)
			}
		}
	}
	if c.WAL != nil {
		e.moment("pgseal_newest_wal_timestamp_seconds", "When the store got the newest archived WAL segment.", &c.WAL.Time)
	}
	if c.Drill != nil {
		e.moment("pgseal_newest_drill_timestamp_seconds", "When the newest drill ended in which a backup came back.", &c.Drill.Time)
	}
	if c.Window != nil {
		e.moment("pgseal_window_start_timestamp_seconds", "The earliest moment to which a restore can go.", &c.Window.From)
		e.moment("pgseal_window_end_timestamp_seconds", "The latest moment to which a restore from the oldest sealed backup can go.", c.Window.To)
	}

	e.gauge("pgseal_backups", "How many backups of the server stand so.")
	for _, s := range states {
		e.sample(fmt.Sprintf(`,state="%s"`, s), float64(c.count(s)))
	}
	e.moment("pgseal_oldest_waiting_timestamp_seconds", "When the oldest backup ended that is uploaded and has neither a seal nor a final verdict.", c.oldestWaiting())
	e.gauge("pgseal_findings", "How many sealed backups have something wrong with them that was found by then or by the last audit.")
	for _, kind := range []finalizer.Finding{finalizer.Tampered, finalizer.Damaged} {
		e.sample(fmt.Sprintf(`,finding="%s"`, kind), float64(c.found(kind)))
	}
	e.gauge("pgseal_drills", "How many backups came to this in their last drill.")
	for _, outcome := range []proof.Outcome{proof.Passed, proof.Failed} {
		e.sample(fmt.Sprintf(`,outcome="%s"`, outcome), float64(c.drilled(outcome)))
	}
	_, err := w.Write(e.Bytes())
	return err
}

func (c *Catalog) count(s State) (n int) {
	for i := range c.Backups {
		if c.Backups[i].State == s {
			n++
		}
	}
	return n
}

// found counts the backups, not the findings: one object may have many.
func (c *Catalog) found(kind finalizer.Finding) (n int) {
	for i := range c.Backups {
		b := &c.Backups[i]
		has := b.State == Tampered && kind == finalizer.Tampered
		for _, f := range b.Findings {
			has = has || f.Finding == kind || f.Finding == "" && finalizer.FindingOf(f.Code) == kind
		}
		if has {
			n++
		}
	}
	return n
}

func (c *Catalog) oldestWaiting() (oldest *time.Time) {
	for i := range c.Backups {
		b := &c.Backups[i]
		if b.State != Waiting && b.State != Complete {
			continue
		}
		at := b.End // a verdict's own time changes with every look
		if at == nil {
			at = b.Since
		}
		if at != nil && (oldest == nil || at.Before(*oldest)) {
			oldest = at
		}
	}
	return oldest
}

// exposition is the text as it grows; every sample has the same labels and perhaps some of its own.
type exposition struct {
	bytes.Buffer
	labels, name string
}

func (e *exposition) gauge(name, help string) {
	e.name = name
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func (e *exposition) sample(more string, value float64) {
	fmt.Fprintf(e, "%s{%s%s} %s\n", e.name, e.labels, more, strconv.FormatFloat(value, 'f', -1, 64))
}

func (e *exposition) moment(name, help string, at *time.Time) {
	if at == nil || at.IsZero() {
		return
	}
	e.gauge(name, help)
	e.sample("", float64(at.UnixMilli())/1000)
}

// escapeLabel: a label's value may hold anything, with three characters escaped.
func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "?"))
}
