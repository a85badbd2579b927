package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// completeTimeout bounds what follows the manifest, which is done even if
// somebody interrupts: the set is complete then, and will be sealed.
const completeTimeout = time.Minute

// completeSet writes the manifest, then DONE and the marker into staging.
func (r *run) completeSet(ctx context.Context, objects []manifest.Object) (Result, error) {
	r.uploading = false
	sortObjects(objects)
	m := r.manifest(objects)
	encoded, err := encodeChecked(m, manifest.Manifest.Check)
	if err != nil {
		return Result{}, err
	}
	_, err = bucket.CreateOrMatch(ctx, r.Vault, layout.Manifest(r.Server, r.id), encoded,
		bucket.CreateOptions{RetainUntil: r.RetainUntil, Tags: r.Tags})
	if err != nil {
		return Result{}, fmt.Errorf("write the manifest: %w", err)
	}
	r.complete = true
	res := Result{ID: r.id, Objects: len(objects), Files: r.Progress.Files.Load(), Read: r.Progress.Bytes.Load(),
		Took: r.Now().Sub(r.began), Digest: manifest.Digest(encoded)}
	for _, o := range objects {
		res.Stored += o.Size
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	if err := r.writeProgress(ctx); err != nil {
		r.Log.Warn("the last heartbeat cannot be written", "error", err)
	}
	if err := r.record(ctx, backupinfo.Done, ""); err != nil {
		r.Log.Warn("the backup is complete, but its record in staging is not", "error", err)
	}
	if err := r.writeMarker(ctx, res); err != nil {
		return Result{}, fmt.Errorf("the set is complete in the vault, but the marker that wakes the finalizer could not be written; run pgseal finalize, or leave it to the sweep: %w", err)
	}
	return res, nil
}

// writeMarker wakes the finalizer. The marker may be written any number of times.
func (c Config) writeMarker(ctx context.Context, res Result) error {
	body, err := json.MarshalIndent(manifest.Marker{Server: c.Server, BackupID: res.ID, ManifestSHA256: res.Digest, Host: c.Host}, "", " ")
	if err != nil {
		return err
	}
	_, err = c.Staging.Put(ctx, layout.Marker(c.Server, res.ID), append(body, '\n'))
	return err
}

func (r *run) manifest(objects []manifest.Object) manifest.Manifest {
	m := manifest.Manifest{
		Format: manifest.Format, SealFormat: manifest.SealFormat, Uploader: r.Uploader,
		Server: r.Server, BackupID: r.id, BackupName: r.Name,
		Cluster: manifest.Cluster{
			Version: r.facts.Version, SystemID: r.facts.SystemID, Timeline: r.start.Timeline, SegmentSize: r.facts.WALSegmentSize,
			PGData: r.facts.DataDirectory, ConfigFile: r.facts.ConfigFile, HBAFile: r.facts.HBAFile, IdentFile: r.facts.IdentFile,
			Included: r.facts.IncludedFiles,
		},
		Begin:            manifest.Point{LSN: r.start.LSN, Time: r.start.Time},
		End:              manifest.Point{LSN: r.stop.LSN, Time: r.stop.Time},
		Label:            r.stop.Label,
		CopyMilliseconds: r.copied.Milliseconds(), Workers: r.Jobs, CorruptPages: r.corrupt,
		Objects: objects,
	}
	if !r.RetainUntil.IsZero() {
		m.RetainUntil = &r.RetainUntil
	}
	for _, t := range r.facts.Tablespaces {
		if !t.InPlace {
			m.Cluster.Tablespaces = append(m.Cluster.Tablespaces, manifest.Tablespace{OID: t.OID, Name: t.Name, Location: plainPath(t.Location)})
		}
	}
	return m
}

// plainPath drops the slashes that a link made by hand may have doubled or at
// its end. One with ".." may lead through other links and stays as it is.
func plainPath(path string) string {
	if strings.Contains(path, "..") {
		return path
	}
	return filepath.Clean(path)
}

// checkFacts refuses, before the first byte, what is known by then.
func (r *run) checkFacts() error {
	_, err := encodeChecked(r.manifest(nil), manifest.Manifest.CheckFacts)
	return err
}

// encodeChecked refuses here what the finalizer would refuse later.
func encodeChecked(m manifest.Manifest, check func(m manifest.Manifest, server, id string) error) ([]byte, error) {
	err := check(m, m.Server, m.BackupID)
	var encoded []byte
	if err == nil {
		encoded, err = manifest.Encode(m)
	}
	if err == nil {
		_, err = manifest.Parse(encoded)
	}
	if err != nil {
		return nil, fmt.Errorf("this backup could never be sealed: %w", err)
	}
	return encoded, nil
}

// sortObjects puts PGDATA first, then the tablespaces by oid, each by number.
func sortObjects(objects []manifest.Object) {
	order := func(name string) (oid uint32, number int) {
		a, err := layout.ParseArchive(name)
		if err == nil && a.Base != layout.Data {
			oid, _ = layout.ParseOID(a.Base)
		}
		return oid, a.Number
	}
	slices.SortFunc(objects, func(a, b manifest.Object) int {
		oidA, nA := order(a.Name)
		oidB, nB := order(b.Name)
		return cmp.Or(cmp.Compare(oidA, oidB), cmp.Compare(nA, nB))
	})
}
