package finalizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// State is the finalizer's answer for one backup.
type State string

// The states. Nothing is an answer only, and never written: no manifest is
// there, so there is nothing to judge.
const (
	Sealed   State = "sealed"
	Waiting  State = "waiting"
	Rejected State = "rejected"
	Conflict State = "conflict"
	Nothing  State = "nothing"
)

// Class says which check a rejection, a conflict or a wait comes from.
type Class string

// The classes. Only ClassWAL reopens by itself: an archiver may come back.
const (
	ClassManifest  Class = "manifest"  // it is malformed, or contradicts itself
	ClassSet       Class = "set"       // the objects are not the ones it lists
	ClassTime      Class = "time"      // its times contradict the store's
	ClassRetention Class = "retention" // an object is not locked as long as asked
	ClassWAL       Class = "wal"       // WAL is missing, or not this cluster's
	ClassSeal      Class = "seal"      // the vault holds another backup.info
)

// Verdict is what the finalizer keeps in staging for one backup. The field
// names are an interface: status, alarms and users' scripts read them.
type Verdict struct {
	Format   int    `json:"format"` // 1
	Server   string `json:"server"`
	BackupID string `json:"backup_id"`
	State    State  `json:"verdict"`
	Class    Class  `json:"class,omitempty"`

	Reasons  []Reason `json:"reasons,omitempty"`
	Findings []Reason `json:"findings,omitempty"` // of a sealed backup; the state stays

	ManifestSHA256 string     `json:"manifest_sha256,omitempty"`
	Deadline       *time.Time `json:"deadline,omitempty"` // of a wait: then it becomes a rejection
	WAL            WAL        `json:"wal"`
	Receipt        *Receipt   `json:"receipt,omitempty"`

	At    time.Time `json:"at"`    // by the function's clock
	Build string    `json:"build"` // of the finalizer

	sealAge time.Duration // of a seal that was there before; for the log
}

// Reason is one thing that is wrong, for machines and for people.
type Reason struct {
	Code   string `json:"code"` // missing, size, checksum, version, ...
	Object string `json:"object,omitempty"`
	Text   string `json:"text"`
	// Finding says, of what an audit found, what it means.
	Finding Finding `json:"finding,omitempty"`
}

// WAL is what the gate saw.
type WAL struct {
	Checked  bool   `json:"checked"` // false: "wal: not checked", by this server's setting
	First    string `json:"first,omitempty"`
	Last     string `json:"last,omitempty"`
	Segments int    `json:"segments,omitempty"`
	Missing  int    `json:"missing,omitempty"`
}

// Receipt proves which seal was written over what.
type Receipt struct {
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
	ETag    string `json:"etag,omitempty"`
	SHA256  string `json:"sha256"` // of backup.info
	// RetainUntil is the earliest end of retention of all that a restore needs:
	// archives, manifest, seal, and the WAL when it was checked. Nil: of some part
	// the store showed none.
	RetainUntil *time.Time `json:"retain_until,omitempty"`
	Objects     int        `json:"objects"`
	Bytes       int64      `json:"bytes"`
}

// maxReasons bounds what a verdict says: a set of 100,000 wrong objects is as
// wrong as one of 100.
const (
	maxReasons = 100
	maxVerdict = 1 << 20
)

// ReadVerdict reads the verdict on one backup, and the staging object it came
// from, whose Created is its age by the store's clock. bucket.ErrNotFound when
// there is none yet.
func ReadVerdict(ctx context.Context, staging bucket.Bucket, server, id string) (Verdict, bucket.Object, error) {
	key := layout.Verdict(server, id)
	body, obj, err := bucket.ReadAll(ctx, staging, key, "", maxVerdict)
	if err != nil {
		return Verdict{}, obj, err
	}
	var v Verdict
	if err := json.Unmarshal(body, &v); err != nil {
		return Verdict{}, obj, fmt.Errorf("verdict %s/%s: %w", staging.URL(), key, err)
	}
	if v.Server != server || v.BackupID != id || v.Format != 1 {
		return Verdict{}, obj, fmt.Errorf("verdict %s/%s: not on this backup, or of another format", staging.URL(), key)
	}
	return v, obj, nil
}

// writeVerdict keeps v in staging. An equal verdict is not written again, so
// that its age in staging is how long things stand as they do. A call that made
// a seal where there had been one already says so.
func (c *call) writeVerdict(ctx context.Context, v *Verdict) error {
	have, _, err := ReadVerdict(ctx, c.Staging, v.Server, v.BackupID)
	switch {
	case err == nil && same(have, *v):
		return nil
	case err == nil && c.created && have.State == Sealed && have.ManifestSHA256 == v.ManifestSHA256:
		v.Findings = append(v.Findings, marked([]Reason{sealGone(c, "it was sealed before, and the seal had been deleted: this is a second one, with the same content")})...)
	case bucket.Retryable(err):
		return err
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		c.log().Warn("the verdict in staging is unreadable, and is replaced", "server", v.Server, "backup_id", v.BackupID, "error", err)
	}
	body, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encode the verdict: %w", err)
	}
	_, err = c.Staging.Put(ctx, layout.Verdict(v.Server, v.BackupID), append(body, '\n'))
	return err
}

// same compares what two verdicts say, not when and by which build.
func same(a, b Verdict) bool {
	a.At, b.At, a.Build, b.Build = time.Time{}, time.Time{}, "", ""
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}
