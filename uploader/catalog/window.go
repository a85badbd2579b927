package catalog

import (
	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// maxLogs bounds the search for missing directories: 4 PiB of WAL.
const maxLogs = 1 << 20

// window tells how far a restore of the backup can go: along the newest timeline that its own leads to, which is what
// PostgreSQL follows by default (recovery_target_timeline = latest).
func (a *walArchive) window(i *backupinfo.Info) *Window {
	w := &Window{From: i.EndTime.UTC()}
	if i.EndLSN == 0 || i.Timeline == 0 || i.SegmentSize != a.size {
		return w
	}
	needed := layout.SegmentAt(i.Timeline, i.EndLSN-1, a.size)
	for _, t := range a.tips { // the highest timeline first
		history := a.histories[t.last.Timeline]
		if !leads(history, i, t.last.Timeline) || t.last.Number < needed.Number {
			continue
		}
		w.Gap = a.gap(history, needed.Number, t)
		if w.Gap == "" {
			to := t.created
			w.To, w.Segment = &to, t.last.Name(a.size)
		}
		return w
	}
	if t := a.logs[i.Timeline]; t < needed.Number/a.perLog() && len(a.dirs) > 0 {
		w.Gap = needed.Name(a.size)
	}
	return w
}

// leads tells whether a server that follows timeline to passes through the end of the backup.
func leads(history walfile.History, i *backupinfo.Info, to uint32) bool {
	return i.Timeline == to || len(history) > 0 && history.At(to, i.EndLSN-1) == i.Timeline
}

func (a *walArchive) perLog() uint64 { return uint64(1<<32) / uint64(a.size) }

// gap names the first segment that is seen to be missing between the one the backup needs and the tip, "" if none is:
// whole directories, and segments in the tip's own.
func (a *walArchive) gap(history walfile.History, needed uint64, t tip) string {
	perLog := a.perLog()
	for log, n := needed/perLog, 0; log <= t.last.Number/perLog && n < maxLogs; log, n = log+1, n+1 {
		if !a.hasLog(history, t.last.Timeline, log) {
			first := layout.Segment{Timeline: t.last.Timeline, Number: max(needed, log*perLog)}
			if len(history) > 0 {
				first.Timeline = history.At(t.last.Timeline, first.Start(a.size))
			}
			return first.Name(a.size)
		}
	}
	begin := max(needed, t.last.Number/perLog*perLog, a.firstOf(history))
	if t.first > begin {
		return layout.Segment{Timeline: t.last.Timeline, Number: t.first - 1}.Name(a.size)
	}
	return ""
}

// hasLog tells whether there is a directory for this part of the WAL, on the timeline or one it came from.
func (a *walArchive) hasLog(history walfile.History, timeline uint32, log uint64) bool {
	if a.dirs[uint64(timeline)<<32|log] {
		return true
	}
	for _, fork := range history {
		if a.dirs[uint64(fork.Parent)<<32|log] {
			return true
		}
	}
	return false
}

// firstOf is the number of a timeline's first segment: the one it forked in.
func (a *walArchive) firstOf(history walfile.History) uint64 {
	return uint64(history.Begin()) / uint64(a.size)
}

// summarize fills in what holds for the server as a whole.
func (c *Catalog) summarize(a *walArchive) {
	c.WAL, c.Drill = a.newest(c.At), c.lastDrill()
	for n := range c.Backups { // newest first
		b := &c.Backups[n]
		if b.State != Sealed || b.End == nil {
			continue
		}
		ended := *b.End
		if b.SealedAt != nil && b.SealedAt.Before(ended) { // the store's clock against the host's
			ended = *b.SealedAt
		}
		if c.Newest == nil || ended.After(c.Newest.Time) {
			c.Newest = &Newest{BackupID: b.ID, Time: ended, Age: span(c.At.Sub(ended))}
		}
		if w := b.Window; w != nil && w.To != nil && (c.Window == nil || w.From.Before(c.Window.From)) {
			c.Window = &Window{From: w.From, To: w.To, Segment: w.Segment}
		}
	}
}
