package finalizer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

// Finding is what an audit makes of something that is wrong with a sealed
// backup. It never changes the verdict.
type Finding string

// The two kinds of findings.
const (
	// Tampered: somebody wrote or deleted what pgseal never does.
	Tampered Finding = "tampered"
	// Damaged: something that a restore needs is missing, cannot be read, is
	// no longer kept, or leads a restore astray.
	Damaged Finding = "damaged"
)

// tampering are the codes that no accident explains: pgseal writes no key
// twice and deletes nothing.
var tampering = map[string]bool{
	"extra": true, "hidden": true, "versions": true, "version": true, "size": true, "etag": true, "checksum": true,
	"shadowed": true, "seal-gone": true, "other-seal": true, "flood": true,
}

// FindingOf gives the kind of finding that a code is.
func FindingOf(code string) Finding {
	if tampering[code] {
		return Tampered
	}
	return Damaged
}

// AuditSet holds the objects of a sealed backup once more against what the store
// reports. It writes nothing, and looks at no WAL. sealed is false when the
// vault holds no seal that a manifest explains; then there is nothing to audit.
func (f *Finalizer) AuditSet(ctx context.Context, server, id string) (findings []Reason, sealed bool, err error) {
	c := f.newCall(server, id)
	malformed, err := c.readManifest(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return nil, false, err
	}
	if err == nil && malformed == nil {
		s, err := c.readSeal(ctx)
		if err != nil {
			return nil, false, err
		}
		if s.ours(c) {
			c.seal = s
		}
	}
	if !c.seal.there {
		if _, c.seal, err = c.explain(ctx); err != nil || !c.seal.there {
			return nil, false, err
		}
	}
	findings, _, err = c.auditSet(ctx)
	return marked(findings), true, err
}

// audit looks at a backup whose manifest and seal were read, and at its WAL.
func (c *call) audit(ctx context.Context, wal *walchain.Archive) ([]Reason, error) {
	findings, seal, err := c.auditSet(ctx)
	if err != nil {
		return nil, err
	}
	info, err := backupinfo.Parse(c.seal.body)
	if err != nil || info.Comment("wal") == "checked" {
		more, err := c.auditWAL(ctx, wal, seal)
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	return marked(findings), nil
}

// marked says of each finding which kind it is.
func marked(findings []Reason) []Reason {
	for i := range findings {
		findings[i].Finding = FindingOf(findings[i].Code)
	}
	return findings[:min(len(findings), maxReasons)]
}

// auditSet looks at the objects, and gives the seal as the store describes it.
func (c *call) auditSet(ctx context.Context) (findings []Reason, seal bucket.Object, err error) {
	set, err := c.checkSet(ctx)
	if err != nil {
		return nil, seal, err
	}
	findings = slices.Concat(c.corruptPages(), set.set, shadows(set.seals))
	if !slices.ContainsFunc(set.seals, func(o bucket.Object) bool { return !o.DeleteMarker }) {
		findings = append(findings, reason("seal-gone", layout.BackupInfo(c.server, c.id), "it was read a moment ago, and is no longer listed"))
	}
	seal, err = c.Vault.Stat(ctx, c.seal.object.Key, c.seal.object.Version)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return nil, seal, err
	}
	for _, obj := range set.objects {
		if problem := Outlives(seal, obj); problem.Code != "" {
			findings = append(findings, problem)
		}
	}
	return findings, seal, nil
}

// auditWAL follows the backup's WAL to the newest segment.
func (c *call) auditWAL(ctx context.Context, wal *walchain.Archive, seal bucket.Object) ([]Reason, error) {
	m := c.manifest
	r, err := wal.Check(ctx, walchain.Backup{Timeline: m.Cluster.Timeline, Begin: m.Begin.LSN, End: m.End.LSN})
	if err != nil {
		return nil, err
	}
	var findings []Reason
	for _, p := range r.Problems {
		findings = append(findings, reason(p.Code, p.Key, "%s", p.Text))
	}
	if seal.RetainUntil.IsZero() || len(r.Needed) > statted {
		return findings, nil
	}
	problems := make([]Reason, len(r.Needed))
	err = each(ctx, len(r.Needed), func(ctx context.Context, i int) error {
		obj := r.Needed[i]
		if !obj.RetentionSeen {
			seen, err := c.Vault.Stat(ctx, obj.Key, obj.Version)
			if errors.Is(err, bucket.ErrInvalid) || errors.Is(err, bucket.ErrNotFound) {
				problems[i] = reason("unreadable", obj.Key, "the store shows nothing of it: %v", err)
				return nil
			}
			if err != nil {
				return err
			}
			obj = seen
		}
		problems[i] = Outlives(seal, obj)
		return nil
	})
	for _, p := range problems {
		if p.Code != "" {
			findings = append(findings, p)
		}
	}
	return findings, err
}

// statted is how many segments' locks are looked at where a listing does not
// show them (S3).
const statted = 256

func (f *Finalizer) archive(server string, size int64) *walchain.Archive {
	return &walchain.Archive{Vault: f.Vault, Server: server, Size: size, Decompress: f.Decompress}
}

// Outlives says when an object's lock ends before the seal's own. A bucket's
// default locks what was stored earlier until earlier: the lock only has to be
// as long from the object's creation on.
func Outlives(seal, obj bucket.Object) Reason {
	if seal.RetainUntil.IsZero() || !seal.RetentionSeen || !obj.RetentionSeen || obj.Key == "" {
		return Reason{}
	}
	earlier := max(0, seal.Created.Sub(obj.Created))
	switch {
	case obj.RetainUntil.IsZero():
		return reason("unlocked", obj.Key, "it is not locked, and its backup.info is until %s", stamp(seal.RetainUntil))
	case obj.RetainUntil.Add(earlier + time.Minute).Before(seal.RetainUntil):
		return reason("retention", obj.Key, "its lock ends %s, and that of its backup.info %s", stamp(obj.RetainUntil), stamp(seal.RetainUntil))
	}
	return Reason{}
}
