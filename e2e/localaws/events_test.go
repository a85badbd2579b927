package localaws_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// await returns the next n records.
func await(t *testing.T, got <-chan localaws.Record, n int) []localaws.Record {
	t.Helper()
	var out []localaws.Record
	for range n {
		select {
		case r := <-got:
			out = append(out, r)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d events came", len(out), n)
		}
	}
	return out
}

// oddKey shows how keys are encoded.
const oddKey = "pg/_pgseal/complete/main/a b+c%ü.json"

func TestEventsFollowTheRuleInOrder(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{Prefix: "pg"})
	got := make(chan localaws.Record, 10)
	a.Events.Subscribe(localaws.Notification{Bucket: a.Staging, Prefix: "pg/_pgseal/complete/", Suffix: ".json"},
		func(r localaws.Record) { got <- r })
	client := a.Client(a.Breakglass)
	keys := []string{"pg/_pgseal/complete/main/1.json", oddKey, "pg/_pgseal/complete/main/2.json"}
	for _, key := range append([]string{"pg/_pgseal/progress/main/1.json", "pg/_pgseal/complete/main/1.txt"}, keys...) {
		if _, err := putAs(client, a.Staging, key, "12345"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := putAs(client, a.Vault, keys[0], "x"); err != nil {
		t.Fatal(err)
	}
	last := ""
	for i, r := range await(t, got, 3) {
		if r.Key() != keys[i] || r.S3.Object.Sequencer <= last {
			t.Errorf("event %d is %q with sequencer %s after %s", i, r.Key(), r.S3.Object.Sequencer, last)
		}
		last = r.S3.Object.Sequencer
	}
	select {
	case r := <-got:
		t.Errorf("an event too many: %s", r.Key())
	default:
	}
}

func TestEventShapes(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	written, err := putAs(a.Client(a.Breakglass), a.Vault, oddKey, "12345")
	if err != nil {
		t.Fatal(err)
	}
	multipart(t, a, "main/base/20260101T000000/data.tar")
	if _, err := putAs(a.Client(a.Host), a.Staging, "main/base/20260101T000000/backup.info", "x"); err != nil {
		t.Fatal(err)
	}
	recorded := a.Events.Recorded()

	t.Run("a put, straight from S3", func(t *testing.T) {
		var e events.S3Event
		decode(t, localaws.S3Event(recorded[0]), &e)
		r := e.Records[0]
		etag := strings.Trim(*written.ETag, `"`)
		if r.EventVersion != "2.5" || r.EventSource != "aws:s3" || r.EventName != "ObjectCreated:Put" || r.S3.Bucket.Name != a.Vault ||
			r.S3.Object.URLDecodedKey != oddKey || r.S3.Object.Key != "pg/_pgseal/complete/main/a+b%2Bc%25%C3%BC.json" ||
			r.S3.Object.Size != 5 || r.S3.Object.ETag != etag || r.S3.Object.VersionID != *written.VersionId || r.S3.Object.Sequencer == "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a completed upload has its whole size", func(t *testing.T) {
		var e events.S3Event
		decode(t, localaws.S3Event(recorded[1]), &e)
		r := e.Records[0]
		if r.EventName != "ObjectCreated:CompleteMultipartUpload" || r.S3.Object.Size != 5<<20+17 ||
			!strings.HasSuffix(r.S3.Object.ETag, "-2") || strings.Contains(r.S3.Object.ETag, `"`) || r.S3.Object.VersionID == "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a bucket without versions has none in its events", func(t *testing.T) {
		if strings.Contains(string(localaws.S3Event(recorded[2])), "versionId") {
			t.Errorf("%s", localaws.S3Event(recorded[2]))
		}
	})
	t.Run("inside a queue's event", func(t *testing.T) {
		q := localaws.NewQueue(localaws.QueueConfig{VisibilityTimeout: time.Minute})
		id := q.Send(localaws.S3Event(recorded[0]))
		batch, err := q.Receive(context.Background(), 10)
		if err != nil {
			t.Fatal(err)
		}
		var e events.SQSEvent
		decode(t, localaws.SQSEvent(batch...), &e)
		var inner events.S3Event
		decode(t, []byte(e.Records[0].Body), &inner)
		if e.Records[0].MessageId != id || e.Records[0].EventSource != "aws:sqs" || e.Records[0].Attributes["ApproximateReceiveCount"] != "1" ||
			inner.Records[0].S3.Object.URLDecodedKey != oddKey {
			t.Errorf("%+v", e.Records[0])
		}
	})
	t.Run("through EventBridge the key is as it is", func(t *testing.T) {
		var e events.EventBridgeEvent
		decode(t, localaws.EventBridgeEvent(recorded[0]), &e)
		var detail struct {
			Bucket struct{ Name string }
			Object struct {
				Key, ETag string
				Size      int64
				VersionID string `json:"version-id"`
			}
			Reason string
		}
		decode(t, e.Detail, &detail)
		if e.Source != "aws.s3" || e.DetailType != "Object Created" || detail.Bucket.Name != a.Vault || detail.Object.Key != oddKey ||
			detail.Object.Size != 5 || detail.Object.VersionID != *written.VersionId || detail.Reason != "PutObject" {
			t.Errorf("%+v %+v", e, detail)
		}
	})
	t.Run("the test event has no records", func(t *testing.T) {
		var e events.S3TestEvent
		decode(t, localaws.TestEvent(a.Staging), &e)
		var none events.S3Event
		decode(t, localaws.TestEvent(a.Staging), &none)
		if e.Event != "s3:TestEvent" || e.Bucket != a.Staging || len(none.Records) != 0 {
			t.Errorf("%+v %+v", e, none)
		}
	})
}

func decode(t *testing.T, document []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(document, into); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
}
