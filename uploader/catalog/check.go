package catalog

import (
	"fmt"
	"strings"
	"time"
)

// Severity is the exit code of a Nagios plugin ("Monitoring Plugins Development Guidelines", return codes).
type Severity int

// The severities.
const (
	OK Severity = iota
	Warning
	Critical
	Unknown
)

func (s Severity) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// Check is what monitoring is told: the severity and the one line, with performance data after the bar. maxAge bounds
// the age of the newest sealed backup, maxWALAge that of the newest WAL and maxDrillAge that of the newest drill that
// passed; 0 asks for nothing.
//
// What is older than the newest seal does not matter any more, but for findings about what is sealed, and drills that
// failed.
func (c *Catalog) Check(maxAge, maxWALAge, maxDrillAge time.Duration) (Severity, string) {
	var worst Severity
	var say []string
	note := func(s Severity, format string, args ...any) {
		worst = max(worst, s)
		say = append(say, fmt.Sprintf(format, args...))
	}
	switch n := c.Newest; {
	case n == nil:
		note(Critical, "no sealed backup")
	case maxAge > 0 && c.At.Sub(n.Time) > maxAge:
		note(Critical, "newest sealed backup %s ended %s ago (max %s)", n.BackupID, Ago(c.At.Sub(n.Time)), Ago(maxAge))
	default:
		note(OK, "newest sealed backup %s ended %s ago", n.BackupID, Ago(c.At.Sub(n.Time)))
	}
	switch w := c.WAL; {
	case w == nil && maxWALAge > 0:
		note(Critical, "no WAL is archived")
	case w == nil:
	case maxWALAge > 0 && c.At.Sub(w.Time) > maxWALAge:
		note(Critical, "newest WAL %s is %s old (max %s; an idle server archives nothing unless archive_timeout is set)", w.Segment, Ago(c.At.Sub(w.Time)), Ago(maxWALAge))
	default:
		note(OK, "newest WAL is %s old", Ago(c.At.Sub(w.Time)))
	}
	switch d := c.Drill; {
	case maxDrillAge > 0 && d == nil:
		note(Critical, "no drill has passed")
	case maxDrillAge > 0 && c.At.Sub(d.Time) > maxDrillAge:
		note(Critical, "the newest drill that passed, of %s, was %s ago (max %s)", d.BackupID, Ago(c.At.Sub(d.Time)), Ago(maxDrillAge))
	}
	counts := map[State]int{}
	for n := range c.Backups {
		b := &c.Backups[n]
		counts[b.State]++
		if s := c.Severity(b); s > OK {
			note(s, "%s", b.short())
		}
	}
	line := fmt.Sprintf("PGSEAL %s - %s | %s", worst, strings.ReplaceAll(strings.Join(say, "; "), "|", "/"), c.perfdata(maxAge, maxWALAge, maxDrillAge, counts))
	return worst, line
}

// Severity is what Check says of one backup. Whatever became of those before the newest seal is OK, but for findings.
func (c *Catalog) Severity(b *Backup) Severity {
	newer := c.Newest == nil || b.ID > c.Newest.BackupID
	switch b.State {
	case Tampered:
		return Critical
	case Sealed:
		switch {
		case len(b.Findings) > 0 || b.Drill.failed():
			return Critical
		case c.Newest != nil && b.ID == c.Newest.BackupID && b.Window != nil && b.Window.Gap != "":
			return Warning
		}
	case Rejected, Conflict:
		if newer {
			return Critical
		}
	case Waiting, Failed, Abandoned, Unsealed, Unreadable:
		if newer {
			return Warning
		}
	case Complete:
		if newer && (len(b.Reasons) > 0 || b.Since != nil && c.At.Sub(*b.Since) > judgedWithin) {
			return Warning
		}
	}
	return OK
}

// judgedWithin is how long a verdict may take: the function is woken within seconds, and a lost event is found by the
// next sweep.
const judgedWithin = time.Hour

func (b *Backup) short() string {
	switch {
	case b.State == Sealed && len(b.Findings) > 0:
		return fmt.Sprintf("%s is sealed, and now: %s", b.ID, cut(b.Findings[0].Text, 80))
	case b.State == Sealed && b.Drill.failed():
		return fmt.Sprintf("%s is sealed, and its drill failed: %s: %s", b.ID, b.Drill.Step, cut(b.Drill.Reason, 80))
	case b.State == Sealed:
		return fmt.Sprintf("after %s WAL is missing from %s on", b.ID, b.Window.Gap)
	case len(b.Reasons) > 0:
		return fmt.Sprintf("%s is %s: %s", b.ID, b.State, cut(b.Reasons[0].Text, 80))
	}
	return fmt.Sprintf("%s is %s", b.ID, b.State)
}

func (c *Catalog) perfdata(maxAge, maxWALAge, maxDrillAge time.Duration, counts map[State]int) string {
	var data []string
	limit := func(d time.Duration) string {
		if d <= 0 {
			return ""
		}
		return fmt.Sprintf(";;%d", span(d))
	}
	if c.Newest != nil {
		data = append(data, fmt.Sprintf("seal_age=%ds%s", c.Newest.Age, limit(maxAge)))
	}
	if c.WAL != nil {
		data = append(data, fmt.Sprintf("wal_age=%ds%s", c.WAL.Age, limit(maxWALAge)))
	}
	if c.Drill != nil {
		data = append(data, fmt.Sprintf("drill_age=%ds%s", c.Drill.Age, limit(maxDrillAge)))
	}
	for _, s := range []State{Sealed, Running, Waiting, Rejected, Failed} {
		data = append(data, fmt.Sprintf("%s=%d", s, counts[s]))
	}
	return strings.Join(data, " ")
}
