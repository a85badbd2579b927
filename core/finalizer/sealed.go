package finalizer

import (
	"context"
	"errors"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// sealed answers for a backup whose seal stands there. It stays sealed whatever
// happened since. The receipt is made up when the call that sealed it died
// before its verdict; what is wrong by now are findings.
func (c *call) sealed(ctx context.Context, s seal) (Verdict, error) {
	c.seal = s
	var age time.Duration
	if !s.object.Created.IsZero() {
		age = c.Now().Sub(s.object.Created)
	}
	have, _, err := ReadVerdict(ctx, c.Staging, c.server, c.id)
	if err == nil && have.State == Sealed && have.ManifestSHA256 == c.digest {
		have.sealAge = age
		return have, nil
	}
	if bucket.Retryable(err) {
		return Verdict{}, err
	}
	set, err := c.checkSet(ctx)
	if err != nil {
		return Verdict{}, err
	}
	var wal walReport
	if info, err := backupinfo.Parse(s.body); err != nil || info.Comment("wal") == "checked" {
		if wal, err = c.lookForWAL(ctx); err != nil {
			return Verdict{}, err
		}
	}
	v := c.withWAL(c.verdict(Sealed, ""), wal)
	v.Receipt = c.receipt(s.object, s.body, set, wal)
	for _, reasons := range [][]Reason{c.corruptPages(), set.set, set.time, set.retention, wal.wrong, wal.missing, wal.retention} {
		v.Findings = append(v.Findings, reasons...)
	}
	v.Findings = append(v.Findings, shadows(set.seals)...)
	v.Findings = v.Findings[:min(len(v.Findings), maxReasons)]
	v.sealAge = age
	return v, nil
}

// stays keeps a backup sealed that was sealed from a manifest that is still there
// and whose seal is gone, though nothing that was locked can be: what v says of
// it now are findings.
func (c *call) stays(ctx context.Context, v Verdict) (Verdict, error) {
	have, err := c.wasSealed(ctx)
	if err != nil || have.State != Sealed {
		return v, err
	}
	gone := sealGone(c, "the backup was sealed, and its seal is gone: somebody could delete it, or this is another vault")
	have.Findings = marked(append([]Reason{gone}, v.Reasons...))
	return have, nil
}

func sealGone(c *call, text string) Reason {
	return reason("seal-gone", layout.BackupInfo(c.server, c.id), "%s", text)
}

// deleted tells whether somebody deleted the backup when its time was over, as
// barman-cloud-backup-delete does: it knows archives and backup.info, and leaves
// the manifest.
func (c *call) deleted(ctx context.Context, set setReport) (bool, error) {
	if set.present == len(c.manifest.Objects) || set.present == uncounted {
		return false, nil
	}
	obj := c.manifestObject
	if !obj.RetentionSeen {
		var err error
		if obj, err = c.Vault.Stat(ctx, obj.Key, obj.Version); err != nil {
			return false, err
		}
	}
	if !obj.RetentionSeen || obj.RetainUntil.After(c.Now()) {
		return false, nil
	}
	if set.present == 0 {
		return true, nil
	}
	have, err := c.sealedVerdict(ctx)
	return have.State == Sealed, err
}

// sealedVerdict is the kept verdict if it says that this manifest's backup is
// sealed, and an empty one otherwise.
func (c *call) sealedVerdict(ctx context.Context) (Verdict, error) {
	have, _, err := ReadVerdict(ctx, c.Staging, c.server, c.id)
	if bucket.Retryable(err) {
		return Verdict{}, err
	}
	if err != nil || c.digest == "" || have.State != Sealed || have.ManifestSHA256 != c.digest {
		have = Verdict{}
	}
	return have, nil // one that is not there, or cannot be read, is none
}

// wasSealed is the kept verdict if it says that the backup is sealed, from any
// version of the manifest: somebody may have written over that, or hidden it.
func (c *call) wasSealed(ctx context.Context) (Verdict, error) {
	have, err := c.sealedVerdict(ctx)
	if err != nil || have.State == Sealed {
		return have, err
	}
	have, _, err = ReadVerdict(ctx, c.Staging, c.server, c.id)
	if bucket.Retryable(err) {
		return Verdict{}, err
	}
	if err != nil || have.State != Sealed {
		return Verdict{}, nil
	}
	manifests, err := c.versionsOf(ctx, layout.Manifest(c.server, c.id))
	if err != nil {
		return Verdict{}, err
	}
	for _, obj := range manifests {
		body, _, err := bucket.ReadAll(ctx, c.Vault, obj.Key, obj.Version, manifest.MaxBytes)
		switch {
		case errors.Is(err, bucket.ErrTooLarge), errors.Is(err, bucket.ErrNotFound), errors.Is(err, bucket.ErrInvalid):
		case err != nil:
			return Verdict{}, err
		case manifest.Digest(body) == have.ManifestSHA256:
			return have, nil
		}
	}
	return Verdict{}, nil
}

// shadows names what hides a seal, or stands beside it in other versions.
func shadows(seals []bucket.Object) []Reason {
	if len(seals) <= 1 {
		return nil
	}
	return []Reason{reason("shadowed", seals[0].Key, "%d versions of backup.info or delete markers are there, and a reader without versions sees the newest", len(seals))}
}

// maxVersions bounds how many versions of one key are read.
const maxVersions = 8

// disputed answers when a backup.info is there that the current manifest does
// not explain: it was shadowed, or the manifest was, or it is somebody else's.
func (c *call) disputed(ctx context.Context, s seal) (Verdict, error) {
	seals, explained, err := c.explain(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if explained.there {
		return c.sealed(ctx, explained)
	}
	key := layout.BackupInfo(c.server, c.id)
	text := "it was not made from this set's manifest: it was written around pgseal, or another host uses this backup id"
	if info, err := backupinfo.Parse(s.body); err == nil && s.there && info.Comment("manifest_sha256") == "" {
		text = "it was not written by pgseal: stock barman-cloud-backup wrote to this vault, or somebody forged it"
	}
	switch {
	case len(seals) == 0 && !s.there:
		text = "a delete marker stands there, and nothing below it: somebody may delete in this vault; when the marker is removed, finalize this backup again"
	case !s.there:
		text = "a version of it is there that a delete marker hides, and " + text
	}
	return c.verdict(Conflict, ClassSeal, Reason{Code: "other-seal", Object: key, Text: text}), nil
}

// explain looks through the versions of manifest and backup.info for two that
// belong together, and makes that manifest the call's.
func (c *call) explain(ctx context.Context) (seals []bucket.Object, found seal, err error) {
	seals, manifests, err := c.versions(ctx)
	if err != nil {
		return nil, seal{}, err
	}
	for _, obj := range manifests {
		body, _, err := bucket.ReadAll(ctx, c.Vault, obj.Key, obj.Version, manifest.MaxBytes)
		if errors.Is(err, bucket.ErrTooLarge) || errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrInvalid) {
			continue
		} else if err != nil {
			return nil, seal{}, err
		}
		m, err := manifest.Parse(body)
		if err != nil || m.Check(c.server, c.id) != nil {
			continue
		}
		for _, o := range seals {
			have, _, err := bucket.ReadAll(ctx, c.Vault, o.Key, o.Version, backupinfo.MaxBytes)
			if errors.Is(err, bucket.ErrTooLarge) || errors.Is(err, bucket.ErrNotFound) {
				continue
			} else if err != nil {
				return nil, seal{}, err
			}
			if digest := manifest.Digest(body); SameSeal(have, m, digest) {
				c.manifest, c.digest, c.manifestObject = m, digest, obj
				return seals, seal{there: true, body: have, object: o}, nil
			}
		}
	}
	return seals, seal{}, nil
}

// versions lists the versions of backup.info and of the manifest, oldest first.
func (c *call) versions(ctx context.Context) (seals, manifests []bucket.Object, err error) {
	if seals, err = c.versionsOf(ctx, layout.BackupInfo(c.server, c.id)); err != nil {
		return nil, nil, err
	}
	manifests, err = c.versionsOf(ctx, layout.Manifest(c.server, c.id))
	return seals, manifests, err
}

func (c *call) versionsOf(ctx context.Context, key string) (all []bucket.Object, err error) {
	for obj, err := range c.Vault.ListVersions(ctx, key) {
		if err != nil {
			return nil, err
		}
		if obj.Key != key {
			break // keys come in order: a longer one follows all versions of this one
		}
		if !obj.DeleteMarker {
			all = append([]bucket.Object{obj}, all...)
		}
	}
	return all[:min(len(all), maxVersions)], nil
}
