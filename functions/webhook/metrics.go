package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/version"
	"github.com/pgseal/pgseal/functions/wake"
)

// metrics are the service's counters and gauges. None has a label that a host
// could choose, such as a server's name: there would be as many series as
// markers that somebody makes up. Which backup it is stands in the log.
type metrics struct {
	mu     sync.Mutex
	values map[string]map[string]float64 // by name, and by the label's value
}

// family is one metric as it is told to Prometheus.
type family struct{ name, kind, label, help string }

const (
	requestsTotal    = "pgseal_webhook_requests_total"
	eventsTotal      = "pgseal_webhook_events_total"
	queueLength      = "pgseal_webhook_queue_length"
	verdictsTotal    = "pgseal_finalizer_verdicts_total"
	failuresTotal    = "pgseal_finalizer_failures_total"
	secondsTotal     = "pgseal_finalizer_seconds_total"
	sweepsTotal      = "pgseal_sweeps_total"
	sweepLast        = "pgseal_sweep_last_success_timestamp_seconds"
	sweepFoundTotal  = "pgseal_sweep_found_total"
	sweepWaiting     = "pgseal_sweep_waiting"
	sweepFailedTotal = "pgseal_sweep_failed_looks_total"
	buildInfo        = "pgseal_build_info"
)

var families = []family{
	{requestsTotal, "counter", "code", "Requests to /events, by the status of their answers; gone is who did not wait for one."},
	{eventsTotal, "counter", "event", "What the events told of: marker, test, other (no creation), other_bucket, or stray (no marker)."},
	{queueLength, "gauge", "", "Markers that wait for the finalizer or are worked on."},
	{verdictsTotal, "counter", "verdict", "Calls of the finalizer that ended with a verdict; the sweep's own are not among them."},
	{failuresTotal, "counter", "", "Calls of the finalizer that the store, or a missing right, ended."},
	{secondsTotal, "counter", "", "Time spent in calls of the finalizer."},
	{sweepsTotal, "counter", "outcome", "Sweeps: done, unfinished (the next one goes on there), or failed."},
	{sweepLast, "gauge", "", "When the last sweep ended that was not a failure."},
	{sweepFoundTotal, "counter", "what", "What sweeps saw: backups that are newly sealed, rejected, conflict or abandoned, audits with a finding tampered or damaged, and uploads ended."},
	{sweepWaiting, "gauge", "", "Backups that waited for WAL, of those that the last sweep looked at."},
	{sweepFailedTotal, "counter", "", "Looks of sweeps that the store, or a missing right, did not allow."},
	{buildInfo, "gauge", "version", "1, with the build's version."},
}

// newMetrics begins with what is known to be coming, at 0: a counter that
// appears with its first count has no increase to alarm at.
func newMetrics() *metrics {
	m := &metrics{values: map[string]map[string]float64{}}
	for _, f := range families {
		m.values[f.name] = map[string]float64{}
		if f.label == "" {
			m.values[f.name][""] = 0
		}
	}
	for _, s := range []finalizer.State{finalizer.Sealed, finalizer.Waiting, finalizer.Rejected, finalizer.Conflict, finalizer.Nothing} {
		m.add(verdictsTotal, string(s), 0)
	}
	for _, outcome := range []string{"done", "unfinished", "failed"} {
		m.add(sweepsTotal, outcome, 0)
	}
	m.swept(finalizer.SweepReport{}, nil, time.Time{})
	m.values[sweepsTotal]["unfinished"], m.values[sweepLast][""] = 0, 0
	m.add(buildInfo, version.String(), 1)
	return m
}

func (m *metrics) add(name, label string, by float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name][label] += by
}

func (m *metrics) set(name, label string, to float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name][label] = to
}

// finalized counts one call of the finalizer.
func (m *metrics) finalized(results []wake.Result, err error, took time.Duration) {
	for _, r := range results {
		m.add(verdictsTotal, string(r.Verdict), 1)
	}
	if err != nil {
		m.add(failuresTotal, "", 1)
	}
	m.add(secondsTotal, "", took.Seconds())
}

// swept counts one sweep.
func (m *metrics) swept(r finalizer.SweepReport, err error, at time.Time) {
	outcome := "unfinished"
	switch {
	case err != nil:
		outcome = "failed"
	case r.Done:
		outcome = "done"
	}
	m.add(sweepsTotal, outcome, 1)
	for what, n := range map[string]int{"sealed": r.Sealed, "rejected": r.Rejected, "conflict": r.Conflicts, "abandoned": r.Abandoned,
		"tampered": r.Tampered, "damaged": r.Damaged, "upload_ended": r.Ended} {
		m.add(sweepFoundTotal, what, float64(n))
	}
	m.add(sweepFailedTotal, "", float64(r.Failed))
	m.set(sweepWaiting, "", float64(r.Waiting))
	if err == nil {
		m.set(sweepLast, "", float64(at.UnixMilli())/1000)
	}
}

// write gives all of them in Prometheus's text format, version 0.0.4
// ("Exposition formats", November 2026).
func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range families {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		var labels []string
		for label := range m.values[f.name] {
			labels = append(labels, label)
		}
		slices.Sort(labels)
		for _, label := range labels {
			text := f.name
			if f.label != "" {
				text += "{" + f.label + `="` + escape.Replace(label) + `"}`
			}
			fmt.Fprintf(w, "%s %s\n", text, strconv.FormatFloat(m.values[f.name][label], 'f', -1, 64))
		}
	}
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
