package finalizer

import (
	"context"
	"errors"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// look settles one backup, and audits it when it is sealed.
func (v *swept) look(ctx context.Context, s *sweep, id string) error {
	s.report.Looked++
	was := v.notes.Backups[id]
	n := &note{First: s.Now(), Last: s.Now()}
	if was != nil {
		n.First = was.First
	} else {
		was = &note{}
	}
	record := SweepRecord{Server: v.name, BackupID: id}
	if v.inVault[id] {
		c := s.newCall(v.name, id)
		verdict, err := c.settle(ctx)
		if err != nil {
			return err
		}
		n.State, n.Class = verdict.State, verdict.Class
		if n.State != was.State || n.Class != was.Class {
			s.count(verdict)
		}
		if n.State == Waiting {
			s.report.Waiting++
		}
		if record.Findings, err = v.audit(ctx, s, c, verdict); err != nil {
			return err
		}
		if n.State == Sealed && !c.seal.object.Created.IsZero() {
			n.First = c.seal.object.Created
		}
	}
	if _, staged := v.inStaging[id]; staged && (n.State == "" || n.State == Nothing) {
		beat, err := v.abandoned(ctx, s, id)
		if err != nil {
			return err
		}
		if beat != nil {
			n.State, record.State, record.Heartbeat = Abandoned, Abandoned, beat
			if was.State != Abandoned {
				s.report.Abandoned++
				s.log().Warn("an upload is abandoned", "server", v.name, "backup_id", id, "heartbeat", beat)
			}
		}
	}
	if record.State != "" || len(record.Findings) > 0 || v.records[id] {
		if err := s.writeRecord(ctx, record); err != nil {
			return err
		}
	}
	if _, known := v.notes.Backups[id]; known || len(v.notes.Backups) < maxNoted {
		v.notes.Backups[id], v.changed = n, true
	}
	return nil
}

// count adds a verdict that is new to the report and the log.
func (s *sweep) count(v Verdict) {
	switch v.State {
	case Sealed:
		s.report.Sealed++
	case Rejected:
		s.report.Rejected++
	case Conflict:
		s.report.Conflicts++
	case Nothing:
		return
	}
	s.Finalizer.report(v)
}

// audit looks at a sealed backup. A seal of pgseal's whose manifest is gone
// cannot be looked at, which is a finding.
func (v *swept) audit(ctx context.Context, s *sweep, c *call, verdict Verdict) (findings []Reason, err error) {
	switch {
	case verdict.State == Nothing && c.seal.there:
		if info, err := backupinfo.Parse(c.seal.body); err == nil && info.Comment("manifest_sha256") != "" {
			r := reason("missing", layout.Manifest(c.server, c.id), "backup.info was made from it, and it is not there")
			r.Finding = Damaged
			findings = append(findings, r)
		}
	case verdict.State != Sealed:
		return nil, nil
	case !c.seal.there: // it is gone
		findings = verdict.Findings
	default:
		if size := c.manifest.Cluster.SegmentSize; v.wal == nil || v.wal.Size != size {
			v.wal = s.archive(v.name, size)
		}
		s.report.Audited++
		if findings, err = c.audit(ctx, v.wal); err != nil {
			return nil, err
		}
	}
	s.tell(c, findings)
	return findings, nil
}

// tell writes one line for each kind of finding, for the alarms.
func (s *sweep) tell(c *call, findings []Reason) {
	for kind, n := range map[Finding]*int{Tampered: &s.report.Tampered, Damaged: &s.report.Damaged} {
		var of []Reason
		for _, r := range findings {
			if r.Finding == kind {
				of = append(of, r)
			}
		}
		if len(of) > 0 {
			*n++
			s.log().Error("a sealed backup has findings", "server", c.server, "backup_id", c.id, "finding", string(kind),
				"code", of[0].Code, "reason", of[0].Text, "object", of[0].Object, "findings", len(of))
		}
	}
}

// abandoned gives the last sign of life of an upload that began, did not say
// how it ended, and is silent for too long; nil for any other.
func (v *swept) abandoned(ctx context.Context, s *sweep, id string) (*time.Time, error) {
	beat := v.inStaging[id]
	body, obj, err := bucket.ReadAll(ctx, s.Staging, layout.BackupInfo(v.name, id), "", backupinfo.MaxBytes)
	switch {
	case errors.Is(err, bucket.ErrNotFound), errors.Is(err, bucket.ErrTooLarge):
	case err != nil:
		return nil, err
	default:
		if obj.Created.After(beat) {
			beat = obj.Created
		}
		if info, err := backupinfo.Parse(body); err == nil && info.Status != backupinfo.Started {
			return nil, nil
		}
	}
	if beat.IsZero() || s.Now().Sub(beat) <= s.Config.abandonAfter() {
		return nil, nil
	}
	beat = beat.UTC().Truncate(time.Second)
	return &beat, nil
}
