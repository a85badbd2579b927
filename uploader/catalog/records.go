package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/proof"
)

// records is all that was found of one backup, read and not yet judged.
type records struct {
	id                 string
	inVault, inStaging bool

	seal       *backupinfo.Info // the vault's backup.info
	sealObject bucket.Object
	sealSHA256 string
	sealErr    error

	set *set // nil: was not listed

	info       *backupinfo.Info // staging's
	infoObject bucket.Object
	infoErr    error

	progress    *bucket.Object
	heartbeat   manifest.Progress
	progressErr error

	marker *bucket.Object

	verdictObject *bucket.Object
	verdict       *finalizer.Verdict
	verdictErr    error

	sweepObject *bucket.Object
	findings    []finalizer.Reason // of the last audit
	sweepErr    error

	drillObject *bucket.Object
	drill       *proof.Proof // of the last drill
	drillErr    error
}

// set is what lies below the backup's directory in the vault.
type set struct {
	archives    int
	bytes       int64
	manifest    bool
	more        bool // the listing was broken off
	newest      time.Time
	lockedUntil time.Time // the earliest end that is shown; zero: none is
	err         error
}

// load reads the backup's records. The verdict comes first, as its receipt saves the listing of the set.
func (r Reader) load(ctx context.Context, f *records) {
	if f.verdictObject != nil {
		v, obj, err := finalizer.ReadVerdict(ctx, r.Staging, r.Server, f.id)
		switch {
		case absent(err):
			f.verdictObject = nil
		case err != nil:
			f.verdictErr = err
		default:
			f.verdict, f.verdictObject = &v, &obj
		}
	}
	if f.sweepObject != nil {
		record, err := finalizer.ReadSweepRecord(ctx, r.Staging, r.Server, f.id)
		if f.findings = record.Findings; !absent(err) {
			f.sweepErr = err
		}
	}
	if f.drillObject != nil {
		p, obj, err := proof.Read(ctx, r.Staging, r.Server, f.id)
		switch {
		case absent(err):
		case err != nil:
			f.drillErr = err
		default:
			f.drill, f.drillObject = &p, &obj
		}
	}
	if f.inVault {
		f.seal, f.sealObject, f.sealSHA256, f.sealErr = readInfo(ctx, r.Vault, layout.BackupInfo(r.Server, f.id))
		receipt := f.verdict != nil && f.verdict.Receipt != nil && f.verdict.Receipt.SHA256 == f.sealSHA256
		if f.seal == nil || !receipt {
			f.set = r.listSet(ctx, f.id)
		}
	}
	if f.seal != nil { // nothing in staging changes what it says
		return
	}
	if f.inStaging {
		f.info, f.infoObject, _, f.infoErr = readInfo(ctx, r.Staging, layout.BackupInfo(r.Server, f.id))
	}
	if f.progress != nil {
		f.heartbeat, f.progressErr = manifest.ReadProgress(ctx, r.Staging, r.Server, f.id)
	}
}

// readInfo gives nil and no error where there is nothing.
func readInfo(ctx context.Context, b bucket.Bucket, key string) (*backupinfo.Info, bucket.Object, string, error) {
	body, obj, err := bucket.ReadAll(ctx, b, key, "", backupinfo.MaxBytes)
	if absent(err) {
		return nil, obj, "", nil
	} else if err != nil {
		return nil, obj, "", err
	}
	sum := sha256.Sum256(body)
	info, err := backupinfo.Parse(body)
	if err != nil {
		return nil, obj, "", err
	}
	return &info, obj, hex.EncodeToString(sum[:]), nil
}

// listSet counts what is there. The size of a single object is the store's word, their number is bounded.
func (r Reader) listSet(ctx context.Context, id string) *set {
	s := &set{}
	n := 0
	blind := "" // the first object of which the listing does not tell the retention
	for obj, err := range r.Vault.List(ctx, layout.BackupDir(r.Server, id)) {
		if err != nil {
			s.err = err
			return s
		}
		if n++; n > maxObjects {
			s.more = true
			return s
		}
		switch obj.Key {
		case layout.Manifest(r.Server, id):
			s.manifest = true
		case layout.BackupInfo(r.Server, id):
		default:
			s.archives++
			s.bytes += obj.Size
		}
		if blind == "" && !obj.RetentionSeen {
			blind = obj.Key
		}
		if obj.Created.After(s.newest) {
			s.newest = obj.Created
		}
		if u := obj.RetainUntil; !u.IsZero() && (s.lockedUntil.IsZero() || u.Before(s.lockedUntil)) {
			s.lockedUntil = u
		}
	}
	if blind != "" { // S3: one object stands for all; who may not see retention does not get to know it here either
		if obj, err := r.Vault.Stat(ctx, blind, ""); err == nil {
			s.lockedUntil = obj.RetainUntil
		}
	}
	return s
}
