package functionsframework

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Event is a CloudEvent, version 1.0, with JSON in it.
type Event struct {
	ID, Type, Source, Subject string
	Time                      time.Time
	Extensions                map[string]string
	Data                      any
}

// Request is a POST that carries an event.
type Request struct {
	Header http.Header
	Body   []byte
}

// Binary is the event in the form that Eventarc sends: attributes as headers, data as body.
func (e Event) Binary() Request {
	h := http.Header{"Content-Type": {"application/json"}}
	for name, value := range e.attributes() {
		h.Set("Ce-"+name, value)
	}
	return Request{h, document(e.Data)}
}

// Structured is the event as one JSON document.
func (e Event) Structured() Request {
	whole := map[string]any{"datacontenttype": "application/json", "data": e.Data}
	for name, value := range e.attributes() {
		whole[name] = value
	}
	return Request{http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}, document(whole)}
}

func (e Event) attributes() map[string]string {
	a := map[string]string{"specversion": "1.0", "id": e.ID, "type": e.Type, "source": e.Source, "time": e.Time.Format(time.RFC3339Nano)}
	if e.Subject != "" {
		a["subject"] = e.Subject
	}
	maps.Copy(a, e.Extensions)
	return a
}

// Finalized is what Cloud Storage's own trigger sends for a new object. The resource is the object as the JSON API shows
// it; what it lacks is filled in.
func Finalized(bucket, name string, resource map[string]any) Event {
	return Event{
		ID: newID(), Type: "google.cloud.storage.object.v1.finalized", Source: "//storage.googleapis.com/projects/_/buckets/" + bucket,
		Subject: "objects/" + name, Time: time.Now().UTC(), Extensions: map[string]string{"bucket": bucket},
		Data: storageObject(bucket, name, resource),
	}
}

// LegacyFinalized is the same in the form of the first generation of functions, which the framework converts.
func LegacyFinalized(bucket, name string, resource map[string]any) Request {
	return Request{http.Header{"Content-Type": {"application/json"}}, document(map[string]any{
		"context": map[string]any{
			"eventId": newID(), "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "eventType": "google.storage.object.finalize",
			"resource": map[string]any{"service": "storage.googleapis.com", "name": "projects/_/buckets/" + bucket + "/objects/" + name, "type": "storage#object"},
		},
		"data": storageObject(bucket, name, resource),
	})}
}

func storageObject(bucket, name string, resource map[string]any) map[string]any {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	object := map[string]any{
		"kind": "storage#object", "id": bucket + "/" + name + "/1", "name": name, "bucket": bucket, "generation": "1", "metageneration": "1",
		"contentType": "application/octet-stream", "size": "0", "storageClass": "STANDARD", "timeCreated": now, "updated": now,
	}
	maps.Copy(object, resource)
	return object
}

// Message is a message of Pub/Sub.
type Message struct {
	ID         string
	Data       []byte
	Attributes map[string]string
	Published  time.Time
}

// Notification is the message that a bucket's notification publishes for a new object.
func Notification(bucket, name string, resource map[string]any) Message {
	object := storageObject(bucket, name, resource)
	return Message{ID: newID(), Published: time.Now().UTC(), Data: document(object), Attributes: map[string]string{
		"notificationConfig": "projects/_/buckets/" + bucket + "/notificationConfigs/1", "eventType": "OBJECT_FINALIZE",
		"payloadFormat": "JSON_API_V1", "bucketId": bucket, "objectId": name, "objectGeneration": fmt.Sprint(object["generation"]),
		"eventTime": time.Now().UTC().Format(time.RFC3339Nano),
	}}
}

// Event is the CloudEvent that Eventarc makes of a message.
func (m Message) Event() Event { return m.event(1) }

func (m Message) event(attempt int) Event {
	return Event{
		ID: m.ID, Type: "google.cloud.pubsub.topic.v1.messagePublished", Source: "//pubsub.googleapis.com/projects/local/topics/pgseal",
		Time: m.Published, Data: map[string]any{
			"subscription": "projects/local/subscriptions/eventarc-pgseal", "deliveryAttempt": attempt, "message": m.document(),
		},
	}
}

// Push is the message as a push subscription without Eventarc sends it, which the framework converts.
func (m Message) Push() Request {
	return Request{http.Header{"Content-Type": {"application/json"}}, document(map[string]any{
		"subscription": "projects/local/subscriptions/pgseal", "message": m.document(),
	})}
}

func (m Message) document() map[string]any {
	published := m.Published.Format(time.RFC3339Nano)
	return map[string]any{
		"messageId": m.ID, "message_id": m.ID, "publishTime": published, "publish_time": published, "data": m.Data, "attributes": m.Attributes,
	}
}

func document(value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// newID is a number as Pub/Sub gives its messages.
func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	n := uint64(0)
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return strconv.FormatUint(n, 10)
}
