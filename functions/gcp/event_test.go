package gcp

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/pgseal/pgseal/functions/wake"
)

// storageObject is the data of an event of Cloud Storage, as in Google's
// examples.
func storageObject(bucket, name string) string {
	return marshal(map[string]any{
		"kind": "storage#object", "id": bucket + "/" + name + "/1609876543210987", "name": name, "bucket": bucket,
		"generation": "1609876543210987", "metageneration": "1", "contentType": "application/json", "size": "352",
		"timeCreated": "2026-11-22T10:00:00.123Z", "crc32c": "rTVTeQ==", "etag": "CKih16GWycICEAE=",
	})
}

// notification is the data of a message that a bucket's notification sends.
func notification(kind, bucket, name string) string {
	return marshal(map[string]any{
		"subscription": "projects/p/subscriptions/eventarc-1",
		"message": map[string]any{
			"messageId": "1", "message_id": "1", "publishTime": "2026-11-22T10:00:00.123Z", "data": []byte(storageObject(bucket, name)),
			"attributes": map[string]string{
				"bucketId": bucket, "objectId": name, "eventType": kind, "payloadFormat": "JSON_API_V1",
				"notificationConfig": "projects/_/buckets/" + bucket + "/notificationConfigs/1", "objectGeneration": "1609876543210987",
			},
		},
	})
}

func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// received is an event as the framework takes it out of a request.
func received(t *testing.T, kind, data string, structured bool) event.Event {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(data))
	r.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{"ce-specversion": "1.0", "ce-id": "1", "ce-type": kind, "ce-source": "//storage.googleapis.com/projects/_/buckets/staging"} {
		r.Header.Set(name, value)
	}
	if structured {
		body := marshal(map[string]any{
			"specversion": "1.0", "id": "1", "type": kind, "source": "//storage.googleapis.com/projects/_/buckets/staging",
			"datacontenttype": "application/json", "data": json.RawMessage(data),
		})
		r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/cloudevents+json")
	}
	e, err := cehttp.NewEventFromHTTPRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	return *e
}

func TestEventsAndWhatTheyWake(t *testing.T) {
	const marker = "a+b c%20é/_pgseal/complete/main/20261123T010203.json"
	want := work{created: []wake.Object{{Bucket: "gs://staging", Key: marker}}}
	tests := []struct {
		name, kind, data string
		want             work
		err              bool
	}{
		{"an object was finalized", objectFinalized, storageObject("staging", marker), want, false},
		{"an object was deleted", "google.cloud.storage.object.v1.deleted", storageObject("staging", marker), work{}, false},
		{"a notification through Pub/Sub", messagePublish, notification("OBJECT_FINALIZE", "staging", marker), want, false},
		{"a notification without a payload", messagePublish, `{"message":{"attributes":{"eventType":"OBJECT_FINALIZE","bucketId":"staging","objectId":` + marshal(marker) + `}}}`, want, false},
		{"a notification of a deletion", messagePublish, notification("OBJECT_DELETE", "staging", marker), work{}, false},
		{"a notification of new metadata", messagePublish, notification("OBJECT_METADATA_UPDATE", "staging", marker), work{}, false},
		{"the scheduler's message", messagePublish, `{"message":{"data":"c3dlZXA=","attributes":{"pgseal":"sweep"}}}`, work{sweep: true}, false},
		{"another wish of pgseal's", messagePublish, `{"message":{"attributes":{"pgseal":"dance"}}}`, work{}, true},
		{"a message of somebody else's", messagePublish, `{"message":{"attributes":{"hello":"world"}}}`, work{}, true},
		{"a message without attributes", messagePublish, `{"message":{"data":"aGVsbG8="}}`, work{}, true},
		{"a message that is no object", messagePublish, `"hello"`, work{}, true},
		{"an event that is no object", objectFinalized, `[]`, work{}, true},
		{"an event of another service", "google.cloud.audit.log.v1.written", `{}`, work{}, true},
	}
	for _, test := range tests {
		for _, mode := range []string{"binary", "structured"} {
			t.Run(test.name+", "+mode, func(t *testing.T) {
				got, err := askedBy(received(t, test.kind, test.data, mode == "structured"))
				var eventErr *wake.EventError
				if !slices.Equal(got.created, test.want.created) || got.sweep != test.want.sweep || test.err != errors.As(err, &eventErr) || !test.err && err != nil {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(objectFinalized, []byte(storageObject("staging", "k")))
	f.Add(messagePublish, []byte(notification("OBJECT_FINALIZE", "staging", "k")))
	f.Add(messagePublish, []byte(`{"message":null}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		e := event.New()
		e.SetType(kind)
		e.DataEncoded = data
		asked, err := askedBy(e)
		for _, o := range asked.created {
			if err != nil || !strings.HasPrefix(o.Bucket, "gs://") {
				t.Errorf("%q, %v", o, err)
			}
		}
	})
}
