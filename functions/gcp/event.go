package gcp

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/pgseal/pgseal/functions/wake"
)

// The types of the events that can reach the function: Cloud Storage's own, of
// which only one tells of a creation, and the messages of a Pub/Sub topic.
const (
	storageEvents   = "google.cloud.storage.object.v1."
	objectFinalized = storageEvents + "finalized"
	messagePublish  = "google.cloud.pubsub.topic.v1.messagePublished"
)

// object is a created object as the wake package has it. Neither Cloud Storage
// nor its notifications encode the name.
func object(bucket, name string) wake.Object {
	return wake.Object{Bucket: "gs://" + bucket, Key: name}
}

// sweepAttribute marks the scheduler's message on the notifications' topic.
const sweepAttribute, sweepValue = "pgseal", "sweep"

// work is what an event asks for. Nothing at all, without an error, is an event
// of a kind that is known and wakes nobody.
type work struct {
	created []wake.Object
	sweep   bool
}

// askedBy reads an event.
func askedBy(e event.Event) (work, error) {
	switch kind := e.Type(); {
	case kind == objectFinalized:
		var o struct {
			Bucket string `json:"bucket"`
			Name   string `json:"name"`
		}
		if err := json.Unmarshal(e.Data(), &o); err != nil {
			return work{}, &wake.EventError{Text: fmt.Sprintf("malformed event of Cloud Storage: %v", err)}
		}
		return work{created: []wake.Object{object(o.Bucket, o.Name)}}, nil
	case strings.HasPrefix(kind, storageEvents):
		return work{}, nil
	case kind == messagePublish:
		return published(e.Data())
	default:
		return work{}, &wake.EventError{Text: fmt.Sprintf("an event of a kind that this function is not woken by: %.200q", kind)}
	}
}

// published reads a message: of a bucket's notification, in whose attributes all
// stands that is needed ("Pub/Sub notifications for Cloud Storage" in the
// documentation, November 2026), whatever the payload's format; or of the
// scheduler.
func published(data []byte) (work, error) {
	var m struct {
		Message struct {
			Attributes map[string]string `json:"attributes"`
		} `json:"message"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return work{}, &wake.EventError{Text: fmt.Sprintf("malformed message of Pub/Sub: %v", err)}
	}
	a := m.Message.Attributes
	if a[sweepAttribute] == sweepValue {
		return work{sweep: true}, nil
	}
	switch a["eventType"] {
	case "OBJECT_FINALIZE":
		return work{created: []wake.Object{object(a["bucketId"], a["objectId"])}}, nil
	case "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE":
		return work{}, nil
	}
	return work{}, &wake.EventError{Text: fmt.Sprintf("a message of Pub/Sub that is neither a notification of Cloud Storage nor the scheduler's: its eventType is %.200q", a["eventType"])}
}
