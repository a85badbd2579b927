package finalizer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// setReport is what is wrong with the objects below base/<id>/.
type setReport struct {
	set, time, retention []Reason
	until                []time.Time     // the ends of retention; zero where the store shows none
	seals                []bucket.Object // versions of backup.info, and delete markers on it
	objects              []bucket.Object // the manifest and what it lists, as the store describes each
	present              int             // objects of the manifest that are listed at all
}

// worst gives the first class that has something wrong.
func (r setReport) worst() (Class, []Reason) {
	switch {
	case len(r.set) > 0:
		return ClassSet, r.set
	case len(r.time) > 0:
		return ClassTime, r.time
	case len(r.retention) > 0:
		return ClassRetention, r.retention
	}
	return "", nil
}

// uncounted is present of a listing that was given up.
const uncounted = -1

// strangers is how many objects may stand below base/<id>/ that the manifest
// does not list (annotations, their versions) before the listing is given up.
const strangers = 100

// checkSet lists the backup's directory once, with versions, and holds it
// against the manifest. What a listing does not tell (on S3 checksums and
// retention) is asked for per object.
func (c *call) checkSet(ctx context.Context) (setReport, error) {
	r, found, err := c.compareListing(ctx)
	if err != nil || len(r.set) > 0 {
		return r, err
	}
	wanted := append([]manifest.Object{{Name: layout.ManifestName}}, c.manifest.Objects...)
	objects, unseen := make([]bucket.Object, len(wanted)), []int(nil)
	for i, want := range wanted {
		if objects[i] = found[want.Name]; objects[i].CRC32C == "" || !objects[i].RetentionSeen {
			unseen = append(unseen, i)
		}
	}
	err = each(ctx, len(unseen), func(ctx context.Context, i int) error {
		obj := &objects[unseen[i]]
		seen, err := c.Vault.Stat(ctx, obj.Key, obj.Version)
		if errors.Is(err, bucket.ErrInvalid) { // S3 shows nothing of an object under a key of its writer's
			seen, err = bucket.Object{Key: obj.Key, Class: unreadable}, nil
		}
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return err
		}
		seen.Created = obj.Created // a listing and a HEAD may round differently
		*obj = seen
		return nil
	})
	if err != nil {
		return r, err
	}
	r.objects = objects
	for i, want := range wanted {
		if err := c.checkObject(&r, want, objects[i]); err != nil {
			return r, err
		}
	}
	c.checkTimes(&r, objects)
	return r, nil
}

// compareListing finds what is missing, different, doubled or added.
func (c *call) compareListing(ctx context.Context) (setReport, map[string]bucket.Object, error) {
	var r setReport
	dir := layout.BackupDir(c.server, c.id)
	wanted := make(map[string]manifest.Object, len(c.manifest.Objects)+1)
	bases := []string{layout.Data}
	for _, o := range c.manifest.Objects {
		wanted[o.Name] = o
	}
	for _, t := range c.manifest.Cluster.Tablespaces {
		bases = append(bases, fmt.Sprint(t.OID))
	}
	wanted[layout.ManifestName] = manifest.Object{Size: c.manifestObject.Size, Version: c.manifestObject.Version, ETag: c.manifestObject.ETag}
	found := make(map[string]bucket.Object, len(wanted))
	listed := 0
	for obj, err := range c.Vault.ListVersions(ctx, dir) {
		if err != nil {
			return r, nil, err
		}
		if listed++; listed > len(wanted)+strangers {
			r.set = append(r.set, reason("flood", dir, "more than %d objects are there, and the manifest lists %d", listed-1, len(c.manifest.Objects)))
			r.present = uncounted
			return r, found, nil
		}
		name := strings.TrimPrefix(obj.Key, dir)
		want, known := wanted[name]
		switch {
		case name == layout.BackupInfoName:
			r.seals = append(r.seals, obj)
		case known:
			if problem := compareListed(want, obj, found[name].Key != ""); problem.Code != "" {
				r.set = append(r.set, problem)
			}
			if !obj.DeleteMarker {
				found[name] = obj
			}
		case obj.Latest && !obj.DeleteMarker && readByRestore(name, bases):
			r.set = append(r.set, reason("extra", obj.Key, "the manifest does not list it, and a restore would read it"))
		}
	}
	for _, o := range c.manifest.Objects {
		if found[o.Name].Key != "" {
			r.present++
		} else {
			r.set = append(r.set, reason("missing", dir+o.Name, "the manifest lists it, and the store does not have it"))
		}
	}
	if found[layout.ManifestName].Key == "" {
		r.set = append(r.set, reason("missing", dir+layout.ManifestName, "it was read a moment ago, and is no longer listed"))
	}
	return r, found, nil
}

func readByRestore(name string, bases []string) bool {
	for _, base := range bases {
		if layout.ReadByRestore(name, base) {
			return true
		}
	}
	return false
}

// compareListed holds one listed version against its entry in the manifest.
func compareListed(want manifest.Object, have bucket.Object, again bool) Reason {
	switch {
	case have.DeleteMarker:
		return reason("hidden", have.Key, "a delete marker hides it")
	case again:
		return reason("versions", have.Key, "more than one version of it is there: it was written twice")
	case have.Version != want.Version:
		return reason("version", have.Key, "version %q is there, and the manifest lists %q", have.Version, want.Version)
	case have.Size != want.Size:
		return reason("size", have.Key, "%d bytes are there, and the manifest lists %d", have.Size, want.Size)
	case want.ETag != "" && have.ETag != "" && have.ETag != want.ETag:
		return reason("etag", have.Key, "it is not the object that was uploaded: its ETag is %s, and the manifest lists %s", have.ETag, want.ETag)
	}
	return Reason{}
}

// SlowClass tells whether objects of a storage class must be ordered before they
// can be read.
func SlowClass(class string) bool { return thawed[class] }

// thawed are the storage classes whose objects must be ordered hours before
// they can be read (Amazon S3, Azure); no restore waits for that.
var thawed = map[string]bool{"GLACIER": true, "DEEP_ARCHIVE": true, "Archive": true}

// unreadable stands for the class of an object that the store will not show.
const unreadable = "unreadable"

// checkObject holds what the store says of one object against the manifest and
// against the retention that is asked for. The manifest stands for itself: its
// bytes were read.
func (c *call) checkObject(r *setReport, want manifest.Object, have bucket.Object) error {
	key := layout.BackupDir(c.server, c.id) + want.Name
	if have.Key == "" {
		r.set = append(r.set, reason("missing", key, "it was listed a moment ago, and is gone"))
		return nil
	}
	if have.Class == unreadable {
		r.set = append(r.set, reason("unreadable", key, "the store shows nothing of it: it is encrypted with a key that only its writer has"))
		return nil
	}
	if problem := Encrypted(c.Config.Encryption, have); problem.Code != "" {
		r.set = append(r.set, problem)
	}
	if want.Name != layout.ManifestName {
		switch {
		case have.CRC32C == "":
			r.set = append(r.set, reason("checksum", key, "the store reports no CRC-32C of the whole object: it was not uploaded by pgseal"))
		case have.CRC32C != want.CRC32C:
			r.set = append(r.set, reason("checksum", key, "its CRC-32C is %s, and the manifest lists %s", have.CRC32C, want.CRC32C))
		case have.Size != want.Size:
			r.set = append(r.set, reason("size", key, "%d bytes are there, and the manifest lists %d", have.Size, want.Size))
		case thawed[have.Class]:
			r.set = append(r.set, reason("class", key, "storage class %s cannot be read at once", have.Class))
		}
	}
	problem, err := c.checkRetention(have)
	if problem.Code != "" {
		r.retention = append(r.retention, problem)
	}
	r.until = append(r.until, have.RetainUntil)
	return err
}

// checkTimes holds the host's times against the store's.
func (c *call) checkTimes(r *setReport, objects []bucket.Object) {
	m, sealTime := c.manifest, c.manifestObject.Created
	if sealTime.IsZero() {
		sealTime = objects[0].Created
	}
	if far := m.End.Time.Sub(sealTime).Abs(); far > manifest.Slack {
		r.time = append(r.time, reason("time", c.manifestObject.Key, "the backup says it ended %s, and the store got the manifest %s", m.End.Time.UTC().Format(time.RFC3339), sealTime.UTC().Format(time.RFC3339)))
	}
	for _, obj := range objects[1:] {
		switch {
		case obj.Created.IsZero():
		case obj.Created.After(sealTime.Add(time.Minute)):
			r.time = append(r.time, reason("time", obj.Key, "the store got it %s, after the manifest that lists it", obj.Created.UTC().Format(time.RFC3339)))
		case obj.Created.Before(m.Begin.Time.Add(-manifest.Slack)):
			r.time = append(r.time, reason("time", obj.Key, "the store got it %s, before the backup began", obj.Created.UTC().Format(time.RFC3339)))
		}
	}
}

// slippedIn looks once more after the seal: what came in between is a finding,
// and so is a seal that did not get the lock that every other object has (as
// in a bucket without a default, from a host that locked each object by
// itself and did not say so in the manifest).
func (c *call) slippedIn(ctx context.Context, seal bucket.Object) ([]Reason, error) {
	r, _, err := c.compareListing(ctx)
	if err != nil {
		return nil, err
	}
	findings := slices.Concat(c.corruptPages(), r.set, shadows(r.seals))
	if c.asksRetention() {
		seen, err := c.Vault.Stat(ctx, seal.Key, seal.Version)
		if err != nil {
			return nil, err
		}
		problem, err := c.checkRetention(seen)
		if err != nil {
			return nil, err
		}
		if problem.Code != "" {
			findings = append(findings, problem)
		}
	}
	return findings[:min(len(findings), maxReasons)], nil
}

// corruptPages says what the uploader found while it read: such a backup is
// sealed like any other, as it may be the best there is, and never quietly.
func (c *call) corruptPages() []Reason {
	if c.manifest.CorruptPages == 0 {
		return nil
	}
	return []Reason{reason("pages", layout.Manifest(c.server, c.id), "%d pages failed PostgreSQL's checksums when they were read: the damage was there before the backup", c.manifest.CorruptPages)}
}
