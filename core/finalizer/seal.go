package finalizer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// Render gives the bytes of the seal for a manifest that passed its Check. They
// follow from the manifest and its seal_format, and one comment says whether
// WAL was looked for; no clock, no randomness, no version of the finalizer.
func Render(m manifest.Manifest, digest string, walChecked bool) ([]byte, error) {
	if m.SealFormat != 1 {
		return nil, fmt.Errorf("%w: seal_format %d", manifest.ErrFormat, m.SealFormat)
	}
	wal := "not checked"
	if walChecked {
		wal = "checked"
	}
	c := m.Cluster
	info := backupinfo.Info{
		Status: backupinfo.Done, BackupName: m.BackupName, ServerName: "cloud",
		Version: c.Version, SystemID: fmt.Sprint(c.SystemID), Timeline: c.Timeline, SegmentSize: c.SegmentSize,
		PGData: c.PGData, ConfigFile: c.ConfigFile, HBAFile: c.HBAFile, IdentFile: c.IdentFile, Included: c.Included,
		BeginTime: m.Begin.Time, BeginLSN: m.Begin.LSN, EndTime: m.End.Time, EndLSN: m.End.LSN, Label: m.Label,
		Stats: &backupinfo.CopyStats{Total: time.Duration(m.CopyMilliseconds) * time.Millisecond, Workers: m.Workers},
		Comments: []string{
			"pgseal seal_format=1",
			"pgseal manifest_sha256=" + digest,
			"pgseal uploader=" + m.Uploader,
			"pgseal wal=" + wal,
		},
	}
	for _, t := range c.Tablespaces {
		info.Tablespaces = append(info.Tablespaces, backupinfo.Tablespace{Name: t.Name, OID: t.OID, Location: t.Location})
	}
	return backupinfo.Render(info)
}

// seal is what stands at the key of backup.info.
type seal struct {
	there    bool
	body     []byte
	object   bucket.Object
	versions []bucket.Object // when the listing showed some
}

func (c *call) readSeal(ctx context.Context) (seal, error) {
	body, obj, err := bucket.ReadAll(ctx, c.Vault, layout.BackupInfo(c.server, c.id), "", backupinfo.MaxBytes)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return seal{}, nil
	case errors.Is(err, bucket.ErrTooLarge):
		return seal{there: true, object: obj}, nil
	case err != nil:
		return seal{}, err
	}
	return seal{there: true, body: body, object: obj}, nil
}

// ours tells whether the seal was made from the call's manifest: it names the
// manifest's digest and has the same fields. Other comments may differ.
func (s seal) ours(c *call) bool { return s.there && SameSeal(s.body, c.manifest, c.digest) }

// SameSeal tells whether body is the seal of a manifest that passed its Check and
// has this digest: a reader's proof that the manifest is the one that was judged.
func SameSeal(body []byte, m manifest.Manifest, digest string) bool {
	info, err := backupinfo.Parse(body)
	if err != nil || info.Comment("manifest_sha256") != digest {
		return false
	}
	want, err := Render(m, digest, true)
	return err == nil && bytes.Equal(fieldsOf(body), fieldsOf(want))
}

// fieldsOf drops the comment lines.
func fieldsOf(body []byte) []byte {
	var out []byte
	for line := range bytes.Lines(body) {
		if line[0] != '#' {
			out = append(out, line...)
		}
	}
	return out
}

var errOtherSeal = errors.New("another backup.info stands there")

// writeSeal creates backup.info in one conditional request. When the store says
// that something is there, or says nothing, what is there decides: the same
// seal is a success, since this or another call wrote it. errOtherSeal
// otherwise.
func (c *call) writeSeal(ctx context.Context) (bucket.Object, []byte, error) {
	key := layout.BackupInfo(c.server, c.id)
	body, err := Render(c.manifest, c.digest, c.Config.CheckWAL(c.server))
	if err != nil {
		return bucket.Object{}, nil, err
	}
	o := bucket.CreateOptions{SingleShot: true, PartSize: int64(len(body))}
	if until := c.sealUntil(); until.After(c.Now().Add(time.Minute)) {
		o.RetainUntil = until
	}
	obj, err := c.Vault.Create(ctx, key, bytes.NewReader(body), o)
	if err == nil {
		c.created = true
		return obj, body, nil
	}
	if !bucket.Exists(err) && !bucket.Retryable(err) {
		return bucket.Object{}, nil, err
	}
	have, readErr := c.readSeal(ctx)
	switch {
	case readErr != nil:
		return bucket.Object{}, nil, fmt.Errorf("%w; and what is there could not be read: %w", err, readErr)
	case !have.there:
		return bucket.Object{}, nil, err
	case !have.ours(c):
		return bucket.Object{}, nil, errOtherSeal
	}
	return have.object, have.body, nil
}

func (c *call) receipt(obj bucket.Object, body []byte, set setReport, wal walReport) *Receipt {
	sum := sha256.Sum256(body)
	r := &Receipt{
		Key: layout.BackupInfo(c.server, c.id), Version: obj.Version, ETag: obj.ETag, SHA256: hex.EncodeToString(sum[:]),
		Objects: len(c.manifest.Objects),
	}
	for _, o := range c.manifest.Objects {
		r.Bytes += o.Size
	}
	if len(set.until) == 0 || wal.Checked && len(wal.until) == 0 {
		return r // of a set with findings not everything was looked at
	}
	// The seal itself is written last, and locked as long as the rest.
	until := slices.MinFunc(append(slices.Clone(set.until), wal.until...), time.Time.Compare).UTC()
	if !until.IsZero() {
		r.RetainUntil = &until
	}
	return r
}
