package localgcp

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// object is one generation. Its content is the file of its number, see disk.go.
type object struct {
	Bucket, Name               string
	Generation, Metageneration int64
	Created, Updated           time.Time
	Deleted                    time.Time // when it became noncurrent; zero while it is live
	Size                       int64
	CRC32C                     uint32
	MD5                        []byte
	ContentType                string
	ContentEncoding            string
	StorageClass               string
	KMSKeyName                 string
	CustomerKey                string // the digest of a key that only the writer has
	Metadata                   map[string]string
	Retention                  *retention
	TemporaryHold              bool
	EventBasedHold             bool
	HoldReleased               time.Time // when an event-based hold was lifted: the policy counts from then
}

// retention is an object's own.
type retention struct {
	Mode  string    `json:"mode"` // Locked, Unlocked
	Until time.Time `json:"retainUntilTime"`
}

// policy is a bucket's retention policy.
type policy struct {
	Period    time.Duration
	Effective time.Time
	Locked    bool
}

// bucketState is a bucket and what is in it.
type bucketState struct {
	Name            string
	Metageneration  int64
	Created         time.Time
	Policy          *policy
	ObjectRetention bool
	Versioning      bool
	DefaultHold     bool            // defaultEventBasedHold
	Lifecycle       json.RawMessage // shown as it was put; nothing happens by it

	live map[string]*object
	old  map[string][]*object // noncurrent generations, the oldest first
}

// expires is when the bucket's policy lets go of the object; none while an event-based hold is on it, as that is when
// the period begins.
func (b *bucketState) expires(o *object) (time.Time, bool) {
	if b.Policy == nil || o.EventBasedHold {
		return time.Time{}, false
	}
	from := o.Created
	if o.HoldReleased.After(from) {
		from = o.HoldReleased
	}
	return from.Add(b.Policy.Period), true
}

// kept tells why the object may be neither deleted nor replaced now.
func (g *GCP) kept(b *bucketState, o *object) *failure {
	if o.TemporaryHold || o.EventBasedHold {
		kind := "Temporary"
		if o.EventBasedHold {
			kind = "Event-Based"
		}
		return fail(403, "objectUnderActiveHold", "Object '%s/%s' is under active %s hold and cannot be deleted, overwritten or archived until hold is removed.", b.Name, o.Name, kind)
	}
	until, _ := b.expires(o)
	if o.Retention != nil && o.Retention.Until.After(until) {
		until = o.Retention.Until
	}
	if until.After(g.now()) {
		return fail(403, "retentionPolicyNotMet", "Object '%s/%s' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until %s",
			b.Name, o.Name, until.Format("2006-01-02T15:04:05.999999-07:00"))
	}
	return nil
}

// resource is the object as the JSON API shows it.
func (g *GCP) resource(b *bucketState, o *object) map[string]any {
	self := fmt.Sprintf("%s/storage/v1/b/%s/o/%s", g.Endpoint, b.Name, escape(o.Name))
	r := map[string]any{
		"kind": "storage#object", "id": fmt.Sprintf("%s/%s/%d", b.Name, o.Name, o.Generation), "selfLink": self,
		"mediaLink": fmt.Sprintf("%s/download/storage/v1/b/%s/o/%s?generation=%d&alt=media", g.Endpoint, b.Name, escape(o.Name), o.Generation),
		"name":      o.Name, "bucket": b.Name, "generation": fmt.Sprint(o.Generation), "metageneration": fmt.Sprint(o.Metageneration),
		"contentType": o.ContentType, "storageClass": o.StorageClass, "size": fmt.Sprint(o.Size),
		"md5Hash": base64.StdEncoding.EncodeToString(o.MD5), "crc32c": sum(o.CRC32C), "etag": etag(o),
		"timeCreated": stamp(o.Created), "updated": stamp(o.Updated), "timeStorageClassUpdated": stamp(o.Created), "timeFinalized": stamp(o.Created),
	}
	optional := func(name string, value any, is bool) {
		if is {
			r[name] = value
		}
	}
	optional("contentEncoding", o.ContentEncoding, o.ContentEncoding != "")
	optional("metadata", o.Metadata, len(o.Metadata) > 0)
	optional("kmsKeyName", o.KMSKeyName+"/cryptoKeyVersions/1", o.KMSKeyName != "")
	optional("timeDeleted", stamp(o.Deleted), !o.Deleted.IsZero())
	optional("temporaryHold", true, o.TemporaryHold)
	optional("eventBasedHold", true, o.EventBasedHold)
	until, is := b.expires(o)
	if o.Retention != nil {
		r["retention"] = map[string]any{"mode": o.Retention.Mode, "retainUntilTime": stamp(o.Retention.Until)}
		if !o.EventBasedHold && o.Retention.Until.After(until) {
			until, is = o.Retention.Until, true
		}
	}
	optional("retentionExpirationTime", stamp(until), is)
	return r
}

// etag is a code of generation and metageneration, as the real one is: it changes with the metadata.
func etag(o *object) string {
	b := binary.AppendUvarint([]byte{0x08}, uint64(o.Generation))
	return base64.StdEncoding.EncodeToString(binary.AppendUvarint(append(b, 0x10), uint64(o.Metageneration)))
}

// sum is a CRC-32C as GCS writes it.
func sum(crc uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// bucketResource is the bucket as the JSON API shows it.
func (g *GCP) bucketResource(b *bucketState) map[string]any {
	r := map[string]any{
		"kind": "storage#bucket", "id": b.Name, "name": b.Name, "projectNumber": "1", "location": "EUROPE-WEST3", "locationType": "region",
		"storageClass": "STANDARD", "metageneration": fmt.Sprint(b.Metageneration), "etag": fmt.Sprintf("CA%d=", b.Metageneration),
		"timeCreated": stamp(b.Created), "updated": stamp(b.Created),
		"iamConfiguration": map[string]any{"uniformBucketLevelAccess": map[string]any{"enabled": true}, "publicAccessPrevention": "enforced"},
	}
	if b.Policy != nil {
		p := map[string]any{"retentionPeriod": fmt.Sprint(int64(b.Policy.Period / time.Second)), "effectiveTime": stamp(b.Policy.Effective)}
		if b.Policy.Locked {
			p["isLocked"] = true
		}
		r["retentionPolicy"] = p
	}
	if b.ObjectRetention {
		r["objectRetention"] = map[string]any{"mode": "Enabled"}
	}
	if b.Versioning {
		r["versioning"] = map[string]any{"enabled": true}
	}
	if b.Lifecycle != nil {
		r["lifecycle"] = b.Lifecycle
	}
	if b.DefaultHold {
		r["defaultEventBasedHold"] = true
	}
	return r
}
