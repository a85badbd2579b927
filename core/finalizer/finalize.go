package finalizer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// Finalize judges one backup by what the vault holds now, seals it if it is
// whole, and keeps the verdict in staging. The answer is a Verdict for whatever
// concerns the backup, and an error only for what concerns the store or the
// finalizer: *TransientError or *AccessError, both to be delivered again.
func (f *Finalizer) Finalize(ctx context.Context, server, id string) (Verdict, error) {
	if err := layout.CheckServer(server); err != nil {
		return Verdict{}, err
	}
	if _, err := layout.ParseBackupID(id); err != nil {
		return Verdict{}, err
	}
	ctx, cancel := f.withDeadline(ctx)
	defer cancel()
	v, err := f.newCall(server, id).settle(ctx)
	if err != nil {
		return Verdict{}, classify(ctx, fmt.Errorf("finalize %s of %s: %w", id, server, err))
	}
	f.report(v)
	return v, nil
}

// settle judges and keeps the verdict. Two calls at once may differ: one saw
// the last WAL segment, the other not yet. Whoever writes anything but "sealed"
// looks once more for a seal afterwards; the other wrote its seal before its
// verdict, so "sealed" is the verdict that stays.
func (c *call) settle(ctx context.Context) (Verdict, error) {
	for {
		v, err := c.judge(ctx)
		if err == nil && (v.State == Rejected || v.State == Waiting) {
			v, err = c.stays(ctx, v)
		}
		if err != nil || v.State == Nothing {
			return v, err
		}
		if err := c.writeVerdict(ctx, &v); err != nil {
			return v, err
		}
		if v.State == Sealed || v.State == Conflict {
			return v, nil
		}
		_, err = c.Vault.Stat(ctx, layout.BackupInfo(c.server, c.id), "")
		if errors.Is(err, bucket.ErrNotFound) {
			return v, nil
		}
		if err != nil {
			return v, err
		}
	}
}

// judge is the whole of the design's steps 1 to 6.
func (c *call) judge(ctx context.Context) (Verdict, error) {
	malformed, err := c.readManifest(ctx)
	if errors.Is(err, bucket.ErrNotFound) {
		return c.withoutManifest(ctx)
	}
	if err != nil {
		return Verdict{}, err
	}
	seal, err := c.readSeal(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if malformed != nil && !seal.there { // unless both were sealed once, and written over and hidden since
		_, explained, err := c.explain(ctx)
		if explained.there || err != nil {
			return c.sealedUnless(ctx, explained, err)
		}
		return c.verdict(Rejected, ClassManifest, reason("malformed", layout.Manifest(c.server, c.id), "%v", malformed)), nil
	}
	if malformed == nil && seal.ours(c) {
		return c.sealed(ctx, seal)
	}
	if seal.there {
		return c.disputed(ctx, seal)
	}
	return c.unsealed(ctx)
}

// readManifest reads and checks the manifest; malformed tells why there is none
// to be used.
func (c *call) readManifest(ctx context.Context) (malformed, err error) {
	c.manifest, c.digest, c.manifestObject = manifest.Manifest{}, "", bucket.Object{}
	body, obj, err := bucket.ReadAll(ctx, c.Vault, layout.Manifest(c.server, c.id), "", manifest.MaxBytes)
	if errors.Is(err, bucket.ErrTooLarge) || errors.Is(err, bucket.ErrInvalid) { // or under a key of its writer's (SSE-C)
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	c.digest, c.manifestObject = manifest.Digest(body), obj
	if c.manifest, err = manifest.Parse(body); err == nil {
		err = c.manifest.Check(c.server, c.id)
	}
	return err, nil
}

// call is one judgement of one backup.
type call struct {
	*Finalizer
	server, id     string
	digest         string // of the manifest
	manifest       manifest.Manifest
	manifestObject bucket.Object
	seal           seal          // of a sealed backup
	created        bool          // this call made it
	decoding       chan struct{} // full while all decoders are at work
}

func (f *Finalizer) newCall(server, id string) *call {
	return &call{Finalizer: f, server: server, id: id, decoding: make(chan struct{}, decoders)}
}

// unsealed checks everything, and seals when nothing is wrong.
func (c *call) unsealed(ctx context.Context) (Verdict, error) {
	set, err := c.checkSet(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if len(set.seals) > 0 { // hidden by a delete marker, or written since
		return c.disputed(ctx, seal{versions: set.seals})
	}
	if over, err := c.deleted(ctx, set); over || err != nil {
		text := "its archives are gone, and its lock is over: the backup was deleted, and the manifest left behind"
		return c.verdict(Nothing, "", reason("manifest", layout.Manifest(c.server, c.id), "%s", text)), err
	}
	if class, reasons := set.worst(); len(reasons) > 0 && !(class == ClassRetention && c.Config.SealRetention > 0) {
		return c.verdict(Rejected, class, reasons...), nil
	}
	wal, err := c.checkWAL(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if c.Config.SealRetention > 0 && len(wal.wrong)+len(wal.missing) == 0 {
		if err := c.extend(ctx, &set, &wal); err != nil {
			return Verdict{}, err
		}
	}
	switch {

	case len(wal.wrong) > 0:
		return c.withWAL(c.verdict(Rejected, ClassWAL, wal.wrong...), wal), nil
	case len(wal.missing) > 0:
		return c.withWAL(c.awaiting(wal), wal), nil
	case len(set.retention)+len(wal.retention) > 0:
		return c.withWAL(c.verdict(Rejected, ClassRetention, append(set.retention, wal.retention...)...), wal), nil
	}
	obj, body, err := c.writeSeal(ctx)
	if errors.Is(err, errOtherSeal) {
		return c.disputed(ctx, seal{there: true})
	}
	if err != nil {
		return Verdict{}, err
	}
	c.seal = seal{there: true, body: body, object: obj}
	v := c.withWAL(c.verdict(Sealed, ""), wal)
	v.Receipt = c.receipt(obj, body, set, wal)
	v.Findings, err = c.slippedIn(ctx, obj)
	return v, err
}

// awaiting is the verdict on a set that lacks only WAL.
func (c *call) awaiting(wal walReport) Verdict {
	deadline := c.manifestObject.Created.Add(c.Config.WALDeadline).UTC().Truncate(time.Second)
	if c.Now().After(deadline) {
		text := fmt.Sprintf("waited for WAL until %s; it is still looked for when this backup is finalized again", deadline.Format(time.RFC3339))
		return c.verdict(Rejected, ClassWAL, append(wal.missing, Reason{Code: "deadline", Text: text})...)
	}
	v := c.verdict(Waiting, ClassWAL, wal.missing...)
	v.Deadline = &deadline
	return v
}

func (c *call) verdict(s State, class Class, reasons ...Reason) Verdict {
	return Verdict{
		Format: 1, Server: c.server, BackupID: c.id, State: s, Class: class, Reasons: reasons[:min(len(reasons), maxReasons)],
		ManifestSHA256: c.digest, At: c.Now().UTC().Truncate(time.Second), Build: c.Build,
	}
}

func (c *call) withWAL(v Verdict, wal walReport) Verdict {
	v.WAL = wal.WAL
	return v
}

// withoutManifest answers for a set that is not complete. A backup.info without
// a manifest is none of pgseal's, or outlived its set, unless a delete marker
// hides the manifest.
func (c *call) withoutManifest(ctx context.Context) (Verdict, error) {
	s, err := c.readSeal(ctx)
	if err != nil {
		return Verdict{}, err
	}
	c.seal = s
	manifests, err := c.versionsOf(ctx, layout.Manifest(c.server, c.id))
	switch {
	case err != nil:
		return Verdict{}, err
	case len(manifests) > 0 && s.there:
		return c.disputed(ctx, s)
	case len(manifests) > 0: // hidden, and perhaps its seal is, too
		if _, explained, err := c.explain(ctx); explained.there || err != nil {
			return c.sealedUnless(ctx, explained, err)
		}
		hidden := c.verdict(Nothing, "", reason("hidden", layout.Manifest(c.server, c.id), "a delete marker hides it"))
		if v, err := c.stays(ctx, hidden); v.State == Sealed || err != nil {
			return v, err
		}
	}
	v := c.verdict(Nothing, "", reason("manifest", layout.Manifest(c.server, c.id), "no manifest is there: the upload is not complete"))
	if s.there {
		v.Reasons[0].Text = "a backup.info stands there without a manifest: it was not written by pgseal, or its set has expired"
	}
	return v, nil
}

func (c *call) sealedUnless(ctx context.Context, s seal, err error) (Verdict, error) {
	if err != nil {
		return Verdict{}, err
	}
	return c.sealed(ctx, s)
}

// report writes the one log line that the alarms match.
func (f *Finalizer) report(v Verdict) {
	log := f.log().With("server", v.Server, "backup_id", v.BackupID, "verdict", string(v.State))
	if v.Class != "" {
		log = log.With("class", string(v.Class))
	}
	if len(v.Reasons) > 0 {
		log = log.With("reason", v.Reasons[0].Text, "object", v.Reasons[0].Object, "reasons", len(v.Reasons))
	}
	if v.State == Sealed {
		// Whoever counts seals leaves out those of long ago: a host can have an old
		// backup finalized again whenever it likes.
		log = log.With("seal_age_s", int(v.sealAge.Seconds()))
	}
	switch {
	case len(v.Findings) > 0:
		log.Error("a sealed backup has findings", "finding", string(FindingOf(v.Findings[0].Code)), "code", v.Findings[0].Code, "reason", v.Findings[0].Text, "object", v.Findings[0].Object, "findings", len(v.Findings))
	case v.State == Rejected || v.State == Conflict:
		log.Error("backup is not sealed")
	case v.State == Waiting:
		log.Warn("backup waits for its WAL", "deadline", v.Deadline)
	case v.State == Nothing:
		log.Info("nothing to finalize")
	default:
		log.Info("backup is sealed")
	}
}

// maxReason bounds a reason in bytes: it may quote what a host has written.
const maxReason = 1000

func reason(code, object, format string, args ...any) Reason {
	text := fmt.Sprintf(format, args...)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + " ..."
	}
	return Reason{Code: code, Object: object, Text: text}
}
