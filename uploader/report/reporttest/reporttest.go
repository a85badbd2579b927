// Package reporttest makes what a page can be made of, for the tests of its bytes and of how a browser shows it.
package reporttest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/report"
)

// Now is when every sample was read.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	day  = 24 * time.Hour
	size = 16 << 20
	gib  = 1 << 30
)

// Samples are reports by name: whatever a page has to cope with.
func Samples() map[string]report.Report {
	return map[string]report.Report{
		"nothing":   one("s3://example-vault/barman", Server("main")),
		"one":       one("gs://example-vault/barman", Server("main", Sealed(Now.Add(-3*time.Hour), 12*gib))),
		"everyday":  one("s3://example-vault/barman", Everyday("main")),
		"all":       one("https://example.blob.core.windows.net/vault/barman", EveryState("main")),
		"thousand":  one("file:///srv/vault", Many("main", 1000)),
		"hostile":   one("s3://example-vault/barman", Hostile()),
		"servers":   several(Everyday("main"), EveryState("reporting"), Server("new"), Broken("lost")),
		"no-server": {Vault: "s3://example-vault/barman", Staging: "s3://example-staging", At: Now, Version: "1.2.3", MaxAge: 26 * time.Hour},
	}
}

func one(vault string, s report.Server) report.Report {
	return report.Report{Vault: vault, Staging: "s3://example-staging", At: Now, Version: "1.2.3", MaxAge: 26 * time.Hour, Servers: []report.Server{s}}
}

func several(s ...report.Server) report.Report {
	r := one("s3://example-vault/barman", s[0])
	r.Servers = s
	return r
}

// at points to a moment.
func at(t time.Time) *time.Time { return &t }

// Sealed is a healthy backup that ended at a moment; it took a minute for each 6 GiB.
func Sealed(end time.Time, bytes int64) catalog.Backup {
	begin := end.Add(-time.Duration(bytes/(6*gib/60)) * time.Second)
	checked := true
	return catalog.Backup{
		ID: layout.BackupID(begin), State: catalog.Sealed, Name: "nightly", Begin: &begin, End: &end, SealedAt: at(end.Add(20 * time.Second)),
		Objects: 12, Bytes: bytes, LockedUntil: at(end.Add(30 * day)), WALChecked: &checked,
		Window: &catalog.Window{From: end, To: at(Now.Add(-4 * time.Minute)), Segment: "0000000100000A4B000000C1"},
	}
}

// Server is a healthy server with these backups, newest first.
func Server(name string, backups ...catalog.Backup) report.Server {
	c := &catalog.Catalog{Format: 1, Server: name, At: Now, Backups: backups}
	a := &audit.Report{Format: 1, Server: name, At: Now, Problems: []audit.Problem{}}
	oldest := Now
	for n := range backups {
		b := &backups[n]
		if b.State != catalog.Sealed {
			continue
		}
		if c.Newest == nil {
			c.Newest = &catalog.Newest{BackupID: b.ID, Time: *b.End, Age: int64(Now.Sub(*b.End) / time.Second)}
		}
		if b.Window.To != nil {
			c.Window = &catalog.Window{From: b.Window.From, To: b.Window.To, Segment: b.Window.Segment}
		}
		a.Sealed++
		oldest = *b.Begin
	}
	if c.Newest == nil {
		return report.Server{Name: name, Catalog: c, Audit: a}
	}
	c.WAL = &catalog.WAL{Segment: "0000000100000A4B000000C1", Time: Now.Add(-4 * time.Minute)}
	a.WAL = []audit.Timeline{{Timeline: 1, Stretches: []audit.Stretch{run(1, 0xa4a00, 0xa4bc1, oldest, Now.Add(-4*time.Minute))}}}
	return report.Server{Name: name, Catalog: c, Audit: a}
}

func run(timeline uint32, first, last uint64, from, to time.Time) audit.Stretch {
	return audit.Stretch{
		First: layout.Segment{Timeline: timeline, Number: first}.Name(size), Last: layout.Segment{Timeline: timeline, Number: last}.Name(size),
		Segments: last - first + 1, From: &from, To: &to,
	}
}

// Everyday is four weeks of daily backups, a promotion, and one failure.
func Everyday(name string) report.Server {
	var backups []catalog.Backup
	for n := range 28 {
		end := Now.Add(-9*time.Hour - time.Duration(n)*day)
		if n == 11 {
			id := layout.BackupID(end)
			backups = append(backups, catalog.Backup{ID: id, State: catalog.Failed, Name: "nightly", Begin: at(end), Objects: 3, Bytes: 7 * gib,
				LockedUntil: at(end.Add(30 * day)), Reasons: []catalog.Reason{{Code: "failed", Text: "the connection to the server was lost: it was shut down"}},
				Next: "pgseal backup --staging-url s3://example-staging s3://example-vault/barman " + name})
			continue
		}
		b := Sealed(end, int64(180-n+(n*n*7)%13)*gib)
		if n%7 == 1 {
			drilled := end.Add(5 * time.Hour)
			b.Drill = &catalog.Drill{Outcome: proof.Passed, Time: drilled, Age: int64(Now.Sub(drilled) / time.Second), Host: "drill1"}
		}
		backups = append(backups, b)
	}
	s := Server(name, backups...)
	s.Catalog.Drill = &catalog.LastDrill{BackupID: backups[1].ID, Time: backups[1].Drill.Time, Age: backups[1].Drill.Age}
	s.Catalog.WAL.Segment = "0000000200000A4B000000C1"
	promoted := Now.Add(-8*day - 5*time.Hour)
	first := *backups[27].Begin
	s.Audit.WAL = []audit.Timeline{
		{Timeline: 1, Stretches: []audit.Stretch{run(1, 0xa4100, 0xa47fe, first, promoted)}},
		{Timeline: 2, Stretches: []audit.Stretch{run(2, 0xa47ff, 0xa4bc1, promoted.Add(2*time.Minute), Now.Add(-4*time.Minute))}},
	}
	return s
}

// EveryState has one backup in each state, holes, and findings.
func EveryState(name string) report.Server {
	ago := func(d time.Duration) time.Time { return Now.Add(-d) }
	missing := []catalog.Reason{{Code: "wal-missing", Object: name + "/wals/0000000200000A4B/0000000200000A4B000000C2", Text: "it is not archived"}}
	next := "pgseal finalize --staging-url s3://example-staging https://example.blob.core.windows.net/vault/barman " + name + " 20261123T093000"
	flawed := Sealed(ago(3*day), 40*gib)
	flawed.Findings = []catalog.Reason{{Code: "extra", Object: name + "/base/" + flawed.ID + "/data_9999.tar", Text: "an archive was added after the seal, and a stock restore would read it", Finding: "tampered"}}
	before := Sealed(ago(9*day), 39*gib)
	before.Drill = &catalog.Drill{Outcome: proof.Failed, Time: ago(6 * day), Host: "drill1", Step: proof.Recover, Reason: "PostgreSQL ended before it was consistent: requested timeline 2 is not a child of this server's history"}
	before.Window = &catalog.Window{From: *before.End, Gap: "0000000100000A4A00000010"}
	unlocked := Sealed(ago(10*day), 38*gib)
	unlocked.LockedUntil, unlocked.Window = nil, before.Window
	ended := Sealed(ago(12*day), 38*gib)
	ended.LockedUntil, ended.Window = at(ago(day)), before.Window
	other := func(d time.Duration, s catalog.State, text string) catalog.Backup {
		b := catalog.Backup{ID: layout.BackupID(ago(d)), State: s, Begin: at(ago(d))}
		if text != "" {
			b.Reasons = []catalog.Reason{{Code: string(s), Text: text}}
		}
		return b
	}
	running := other(20*time.Minute, catalog.Running, "")
	running.Progress = &catalog.Progress{Host: "db1", PID: 4712, Bytes: 6 * gib, Total: 8 * gib, Stored: gib, Heartbeat: ago(time.Minute)}
	complete := other(2*time.Hour, catalog.Complete, "")
	complete.Since, complete.End = at(ago(time.Hour)), at(ago(time.Hour))
	waiting := other(150*time.Minute, catalog.Waiting, "")
	waiting.Class, waiting.Reasons, waiting.Deadline, waiting.Since, waiting.Next = "wal", missing, at(Now.Add(2*day)), at(ago(time.Hour)), next
	rejected := other(5*day, catalog.Rejected, "the size is 12 bytes, and the manifest says 14")
	rejected.Class, rejected.Objects, rejected.Bytes, rejected.LockedUntil = "set", 14, 20*gib, at(Now.Add(70*day))
	foreign := other(11*day, catalog.Foreign, "")
	foreign.Status, foreign.End, foreign.Objects, foreign.Bytes = "DONE", at(ago(11*day-time.Hour)), 2, 21*gib
	s := Server(name, running, complete, waiting,
		other(day, catalog.Failed, "could not read base/1/1259: Input/output error"),
		other(2*day, catalog.Abandoned, "it began and has given no sign of life for 2 d"),
		flawed, rejected,
		other(6*day, catalog.Conflict, "it was not made by pgseal, although pgseal's manifest stands beside it"),
		other(7*day, catalog.Unsealed, "its manifest is in the vault, and staging has neither marker nor verdict"),
		before, unlocked, foreign, ended,
		other(13*day, catalog.Tampered, "the verdict says sealed, and the vault shows no backup.info: it was hidden or deleted, or this is another vault"),
		other(14*day, catalog.Leftovers, "an upload without manifest and seal; no restore and no list shows it"),
		other(15*day, catalog.Unreadable, "status=? has no '='"),
		other(16*day, catalog.Deleted, ""))
	hole := run(1, 0xa4a10, 0xa4a12, ago(8*day), ago(8*day-time.Hour))
	hole.Backups = 3
	edge := run(2, 0xa4b00, 0xa4b00, ago(4*day), ago(4*day))
	edge.From, edge.Backups = nil, 1
	s.Audit.WAL = []audit.Timeline{
		{Timeline: 1, Stretches: []audit.Stretch{run(1, 0xa4900, 0xa4a0f, ago(12*day), ago(8*day)), run(1, 0xa4a13, 0xa4aff, ago(8*day-time.Hour), ago(4*day))}, Holes: []audit.Stretch{hole}},
		{Timeline: 2, Stretches: []audit.Stretch{run(2, 0xa4b01, 0xa4bc1, ago(4*day), ago(time.Hour))}, Holes: []audit.Stretch{edge}},
	}
	s.Audit.Problems = []audit.Problem{
		{Severity: audit.Critical, Code: "extra", BackupID: flawed.ID, Object: name + "/base/" + flawed.ID + "/data_9999.tar", Text: "an archive was added after the seal, and a stock restore would read it", Finding: "tampered"},
		{Severity: audit.Critical, Code: "wal-hole", BackupID: before.ID, Object: name + "/wals/0000000100000A4A/" + hole.First, Text: "it is not there, and later segments are: no restore of this backup can go past it", Also: 2},
		{Severity: audit.Warning, Code: "unsealed", BackupID: layout.BackupID(ago(7 * day)), Text: "the set is complete, and has no seal: pgseal finalize says why"},
	}
	s.Catalog.Notes = []string{"2 directories below the server's base/ are no backups and are left out"}
	return s
}

// Many is a server with backups of more than two years, every tenth of which failed.
func Many(name string, n int) report.Server {
	var backups []catalog.Backup
	for i := range n {
		end := Now.Add(-9*time.Hour - time.Duration(i)*20*time.Hour)
		if i%10 == 7 {
			backups = append(backups, catalog.Backup{ID: layout.BackupID(end), State: catalog.Failed, Begin: at(end), Reasons: []catalog.Reason{{Code: "failed", Text: "interrupted"}}})
			continue
		}
		b := Sealed(end, int64(1200-i+(i*i*31)%97)*gib)
		b.LockedUntil = at(end.Add(1095 * day))
		backups = append(backups, b)
	}
	return Server(name, backups...)
}

// Evil is a text that would be code in a page that does not escape it.
const Evil = `</title></style></script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">"'` + "`" + `{{.}}&lt;<!--`

// Hostile is a server whose every text somebody chose to do harm, and is as long as it can be.
func Hostile() report.Server {
	long := catalog.Printable(strings.Repeat("W", 390) + Evil)
	b := Sealed(Now.Add(-3*time.Hour), 12*gib)
	b.Name = catalog.Printable(Evil)
	b.Findings = []catalog.Reason{{Code: Evil, Object: long, Text: catalog.Printable(Evil), Finding: "tampered"}}
	b.Next = "pgseal backup " + catalog.Quote(Evil)
	b.Drill = &catalog.Drill{Outcome: proof.Failed, Time: Now, Host: long, Step: Evil, Reason: long}
	forged := catalog.Backup{ID: "00010101T000000", State: catalog.Failed, Name: long, Status: Evil, Class: Evil,
		Begin: at(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), Reasons: []catalog.Reason{{Code: Evil, Object: Evil, Text: long}}}
	future := catalog.Backup{ID: "99991231T235959", State: catalog.Foreign, Name: strings.Repeat("ä", 400), Begin: at(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)),
		End: at(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), Bytes: 1 << 62, Objects: 1 << 30, LockedUntil: at(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))}
	s := Server(strings.Repeat("W", 128), future, b, forged)
	s.Catalog.Notes = []string{Evil}
	s.Audit.Notes = []string{Evil}
	s.Audit.Problems = []audit.Problem{{Severity: audit.Critical, Code: Evil, BackupID: b.ID, Object: long, Text: Evil, Finding: Evil}}
	s.Audit.WAL = append(s.Audit.WAL, audit.Timeline{Timeline: 4294967295, Stretches: []audit.Stretch{{First: Evil, Last: Evil, Segments: 1 << 62, From: at(time.Time{}), To: at(Now)}}, Holes: []audit.Stretch{{First: Evil, Last: Evil, Segments: 1 << 63}}})
	return s
}

// Broken is a server that could not be read.
func Broken(name string) report.Server {
	return report.Server{Name: name, Err: errors.New("list the vault's backups: s3://example-vault/barman: AccessDenied: " + fmt.Sprintf("no identity-based policy allows the %s action", "s3:ListBucket"))}
}
