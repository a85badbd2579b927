package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/pgseal/pgseal/functions/wake"
)

// maxEvent bounds a request's body. Amazon's own events have one record each,
// of a kilobyte or two, and 256 KiB is the most that its queues take.
const maxEvent = 256 << 10

// event is what is read of a notification: the records that Amazon S3 defined
// ("Event message structure", November 2026) and others imitate, or the message
// that a new notification is tried with. Nothing else in it is looked at, and
// none of this is believed: it can only name a backup to look at.
//
// They differ in what is around it (MinIO adds EventName and Key) and in the
// values: versitygw and MinIO write "s3:ObjectCreated:Put", Amazon and Ceph
// "ObjectCreated:Put".
type event struct {
	Event   string
	Records []record
}

type record struct {
	EventName string `json:"eventName"`
	S3        struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key string `json:"key"`
		} `json:"object"`
	} `json:"s3"`
}

// recordsOf reads an event; none, without an error, is a notification being
// tried.
func recordsOf(body []byte) ([]record, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, &wake.EventError{Text: fmt.Sprintf("malformed event: %v", err)}
	}
	if len(e.Records) == 0 && e.Event != "s3:TestEvent" {
		return nil, &wake.EventError{Text: "not a notification of an S3 server: no Records in it"}
	}
	return e.Records, nil
}

// created gives the object that a record tells of, in the spellings that its key
// may have been meant in, and none when it tells of something else. Amazon,
// MinIO and some versions of Ceph encode keys form style, versitygw and other
// versions do not, and no field tells which. A key of the markers' grammar has
// nothing to decode, but the prefix before it is the operator's. Trying both
// can wake the finalizer for nothing at worst.
func (r record) created() []wake.Object {
	if !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
		return nil
	}
	place := "s3://" + r.S3.Bucket.Name
	spellings := []wake.Object{{Bucket: place, Key: r.S3.Object.Key}}
	if decoded, err := url.QueryUnescape(r.S3.Object.Key); err == nil && decoded != r.S3.Object.Key {
		spellings = append(spellings, wake.Object{Bucket: place, Key: decoded})
	}
	return spellings
}
