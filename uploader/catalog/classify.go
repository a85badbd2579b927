package catalog

import (
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

// classify says how things stand with one backup. What the vault says comes first; then the verdict, which only the
// finalizer can write; then what the host wrote.
func (r Reader) classify(f *records, now time.Time) Backup {
	b := Backup{ID: f.id}
	b.describe(f)
	switch {
	case f.sealErr != nil:
		b.unreadable(layout.BackupInfo(r.Server, f.id), f.sealErr)
	case f.seal != nil:
		r.classifySeal(&b, f)
	case f.set != nil && f.set.err != nil:
		b.unreadable(layout.BackupDir(r.Server, f.id), f.set.err)
	case f.verdict != nil:
		r.classifyVerdict(&b, f, now)
	case f.verdictErr != nil:
		b.unreadable(layout.Verdict(r.Server, f.id), f.verdictErr)
	case f.marker != nil:
		b.State, b.Since = Complete, instant(f.marker.Created)
		if f.set == nil || !f.set.manifest {
			b.Reasons = []Reason{reason("no-manifest", layout.Manifest(r.Server, f.id),
				"the marker says complete, but the vault holds no manifest: is this the vault that the backup went to?")}
		}
	default:
		r.classifyUpload(&b, f, now)
	}
	if f.verdictErr != nil && b.State != Unreadable {
		b.Reasons = append(b.Reasons, reason("unreadable", layout.Verdict(r.Server, f.id), f.verdictErr.Error()))
	}
	return b
}

// describe fills in what is known whatever the state is.
func (b *Backup) describe(f *records) {
	if f.set != nil {
		b.Objects, b.Bytes, b.LockedUntil = f.set.archives, f.set.bytes, instant(f.set.lockedUntil)
	}
	for _, info := range []*backupinfo.Info{f.info, f.seal} {
		if info != nil {
			b.Name, b.Begin, b.End = Printable(info.BackupName), instant(info.BeginTime), instant(info.EndTime)
		}
	}
	if b.Begin == nil {
		b.Begin = instant(f.heartbeat.Begin)
	}
	if f.seal != nil && b.LockedUntil == nil {
		b.LockedUntil = instant(f.sealObject.RetainUntil)
	}
	if v := f.verdict; v != nil && v.Receipt != nil && (f.seal == nil || v.Receipt.SHA256 == f.sealSHA256) {
		if b.Objects == 0 {
			b.Objects, b.Bytes = v.Receipt.Objects, v.Receipt.Bytes
		}
		if u := v.Receipt.RetainUntil; u != nil {
			b.LockedUntil = instant(*u)
		}
	}
}

// classifySeal is for backups with a backup.info in the vault.
func (r Reader) classifySeal(b *Backup, f *records) {
	key := layout.BackupInfo(r.Server, f.id)
	v := f.verdict
	ours := f.seal.Comment("manifest_sha256") != ""
	switch {
	case v != nil && v.State == finalizer.Conflict:
		b.fromVerdict(f)
	case ours && f.seal.Status == backupinfo.Done:
		b.State, b.SealedAt = Sealed, instant(f.sealObject.Created)
		checked := f.seal.Comment("wal") == "checked"
		b.WALChecked = &checked
		if v != nil && v.State == finalizer.Sealed {
			b.Findings = printableReasons(v.Findings)
		}
		b.addFindings(f)
		if v == nil || v.State != finalizer.Sealed {
			return
		}
		if v.Receipt != nil && v.Receipt.SHA256 != f.sealSHA256 {
			b.Findings = append(b.Findings, reason("shadowed", key, "it is not the backup.info of which the verdict has the receipt: another one was written over it"))
		}
	case ours:
		b.State = Conflict
		b.Reasons = []Reason{reason("other-seal", key, fmt.Sprintf("it says that pgseal made it, and its status is %q: pgseal writes no such backup.info into a vault", f.seal.Status))}
	case f.set != nil && f.set.manifest:
		b.State, b.Status = Conflict, Printable(f.seal.Status)
		b.Reasons = []Reason{reason("other-seal", key, "it was not made by pgseal, although pgseal's manifest stands beside it")}
	default:
		b.State, b.Status = Foreign, Printable(f.seal.Status)
	}
}

// addFindings adds what the last audit found, and the verdict does not say already.
func (b *Backup) addFindings(f *records) {
	for _, r := range printableReasons(f.findings) {
		known := false
		for n, have := range b.Findings {
			if have.Code == r.Code && have.Object == r.Object {
				b.Findings[n], known = r, true
			}
		}
		if !known {
			b.Findings = append(b.Findings, r)
		}
	}
	if f.sweepErr != nil {
		b.Findings = append(b.Findings, reason("unreadable", "", "what the last audit found cannot be read: "+f.sweepErr.Error()))
	}
}

// classifyVerdict is for backups that were judged, and have no backup.info in the vault.
func (r Reader) classifyVerdict(b *Backup, f *records, now time.Time) {
	if f.verdict.State != finalizer.Sealed {
		b.fromVerdict(f)
		return
	}
	ended := b.LockedUntil == nil || b.LockedUntil.Before(now)
	switch empty := f.set == nil || f.set.archives == 0 && !f.set.manifest; {
	case empty && ended:
		b.State, b.Objects, b.Bytes = Deleted, 0, 0
	case ended && !f.set.manifest:
		b.State = Leftovers
		b.Reasons = []Reason{reason("leftovers", layout.BackupDir(r.Server, f.id), "the backup was sealed and has been deleted since, but not all of it")}
	default:
		b.State, b.Since = Tampered, instant(f.verdictObject.Created)
		b.Reasons = []Reason{reason("seal-gone", layout.BackupInfo(r.Server, f.id),
			"the verdict says sealed, and the vault shows no backup.info: it was hidden or deleted, or this is another vault")}
	}
}

// fromVerdict takes over a verdict that is not sealed.
func (b *Backup) fromVerdict(f *records) {
	v := f.verdict
	switch v.State {
	case finalizer.Waiting, finalizer.Rejected, finalizer.Conflict:
		b.State = State(v.State)
	default:
		b.unreadable(f.verdictObject.Key, fmt.Errorf("the verdict %q is unknown to this version of pgseal", v.State))
		return
	}
	b.Class, b.Reasons = Printable(string(v.Class)), printableReasons(v.Reasons)
	b.Deadline, b.Since = v.Deadline, instant(f.verdictObject.Created)
}

// classifyUpload is for backups that nobody was asked to judge.
func (r Reader) classifyUpload(b *Backup, f *records, now time.Time) {
	whole := f.set != nil && f.set.manifest
	empty := f.set == nil || f.set.archives == 0
	traces := f.info != nil || f.infoErr != nil || f.progress != nil
	heartbeat := f.infoObject.Created
	if f.progress != nil {
		heartbeat = f.progress.Created
		b.Progress = f.report(now)
	}
	if f.progressErr != nil {
		b.Reasons = append(b.Reasons, reason("unreadable", layout.Progress(r.Server, f.id), f.progressErr.Error()))
	}
	status := backupinfo.Started // a heartbeat alone is as good
	if f.info != nil {
		status = f.info.Status
	}
	switch {
	case !traces && whole:
		b.State = Unsealed
		b.Reasons = []Reason{reason("no-trace", "", "its manifest is in the vault, and staging has neither marker nor verdict")}
		if r.Staging == nil {
			b.Reasons = []Reason{reason("no-trace", "", "its manifest is in the vault and its seal is not; staging, which knows why, was not read")}
		}
	case !traces && r.Staging == nil && now.Sub(f.set.newest) < r.AbandonAfter:
		b.State = Leftovers
		b.Reasons = []Reason{reason("leftovers", "", "an upload without manifest and seal; without --staging-url one that runs cannot be told from one that ended")}
	case !traces && empty:
		b.State = Deleted
	case !traces:
		b.State = Leftovers
		b.Reasons = []Reason{reason("leftovers", "", "an upload without manifest and seal; no restore and no list shows it")}
	case f.infoErr != nil:
		b.unreadable(layout.BackupInfo(r.Server, f.id), f.infoErr)
	case status == backupinfo.Failed:
		b.State = Failed
		b.Reasons = append(b.Reasons, reason("failed", "", f.info.Error))
	case status != backupinfo.Started && status != backupinfo.Done:
		b.unreadable(layout.BackupInfo(r.Server, f.id), fmt.Errorf("the status %q is none that pgseal writes to staging", status))
	case status == backupinfo.Started && now.Sub(heartbeat) <= r.AbandonAfter:
		b.State = Running
	case whole:
		b.State = Unsealed
		b.Reasons = append(b.Reasons, reason("no-marker", layout.Marker(r.Server, f.id), "its manifest is in the vault, but the marker that wakes the finalizer is missing"))
	case status == backupinfo.Done && empty:
		b.State = Deleted
	case status == backupinfo.Done:
		b.State = Leftovers
		b.Reasons = append(b.Reasons, reason("leftovers", layout.Manifest(r.Server, f.id), "staging says that the backup was complete, and the vault has no manifest of it"))
	default:
		b.State = Abandoned
		b.Reasons = append(b.Reasons, reason("abandoned", "", fmt.Sprintf("it began and has given no sign of life for %s", Ago(now.Sub(heartbeat)))))
	}
}

// report is what the heartbeat said. The rate counts from the claim of the id on, both times being the store's.
func (f *records) report(now time.Time) *Progress {
	h, beat := f.heartbeat, f.progress.Created
	p := &Progress{
		Host: Printable(h.Host), PID: h.PID, Files: h.Files, Bytes: h.Bytes, Total: h.Total, Stored: h.Stored,
		Heartbeat: beat.UTC(), Silent: span(now.Sub(beat)),
	}
	begin := f.infoObject.Created
	if begin.IsZero() {
		begin = h.Begin
	}
	if took := beat.Sub(begin).Seconds(); took >= 1 && !begin.IsZero() {
		p.Rate = int64(float64(h.Bytes) / took)
	}
	return p
}

func (b *Backup) unreadable(key string, err error) {
	b.State = Unreadable
	b.Reasons = append(b.Reasons, reason("unreadable", key, err.Error()))
}

// instant is nil for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
