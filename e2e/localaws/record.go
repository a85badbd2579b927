package localaws

import (
	"net/url"
	"strings"
	"time"
)

// Record is one event as Amazon S3 writes it ("Event message structure", version 2.5): the event's name has no s3:
// prefix, the key is URL-encoded as in a form (a space is +), the ETag has no quotes.
type Record struct {
	EventVersion      string            `json:"eventVersion"`
	EventSource       string            `json:"eventSource"`
	AWSRegion         string            `json:"awsRegion"`
	EventTime         string            `json:"eventTime"`
	EventName         string            `json:"eventName"`
	UserIdentity      principal         `json:"userIdentity"`
	RequestParameters map[string]string `json:"requestParameters"`
	ResponseElements  map[string]string `json:"responseElements"`
	S3                recordS3          `json:"s3"`

	plainKey string
	caller   string
}

type principal struct {
	PrincipalID string `json:"principalId"`
}

type recordS3 struct {
	SchemaVersion   string       `json:"s3SchemaVersion"`
	ConfigurationID string       `json:"configurationId"`
	Bucket          recordBucket `json:"bucket"`
	Object          recordObject `json:"object"`
}

type recordBucket struct {
	Name          string    `json:"name"`
	OwnerIdentity principal `json:"ownerIdentity"`
	ARN           string    `json:"arn"`
}

type recordObject struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}

// Key is the object's key, decoded.
func (r Record) Key() string { return r.plainKey }

// newRecord fills in everything but size and ETag.
func (a *AWS) newRecord(x exchange, name, version string) Record {
	if version == "null" {
		version = ""
	}
	id := requestID()
	return Record{
		EventVersion: "2.5", EventSource: "aws:s3", AWSRegion: Region,
		EventTime:         time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		EventName:         name,
		UserIdentity:      principal{"AWS:AROA" + strings.ToUpper(x.who.Name) + ":pgseal-" + x.who.Name},
		RequestParameters: map[string]string{"sourceIPAddress": "127.0.0.1"},
		ResponseElements:  map[string]string{"x-amz-request-id": id, "x-amz-id-2": "localaws"},
		S3: recordS3{
			SchemaVersion: "1.0", ConfigurationID: "pgseal",
			Bucket: recordBucket{Name: x.op.bucket, OwnerIdentity: principal{"A1LOCALAWS"}, ARN: "arn:aws:s3:::" + x.op.bucket},
			Object: recordObject{Key: encodeKey(x.op.key), VersionID: version, Sequencer: a.Events.nextSequencer()},
		},
		plainKey: x.op.key, caller: x.who.Name,
	}
}

// encodeKey encodes as a form does, but keeps slashes.
func encodeKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
