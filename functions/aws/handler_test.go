package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

// s3Record is as Amazon S3 writes it (event version 2.5).
func s3Record(bucket, key string) string {
	return `{"Records":[{"eventVersion":"2.5","eventSource":"aws:s3","awsRegion":"eu-central-1","eventTime":"2026-11-23T01:02:03.456Z",
	"eventName":"ObjectCreated:Put","s3":{"s3SchemaVersion":"1.0","configurationId":"pgseal","bucket":{"name":"` + bucket + `","arn":"arn:aws:s3:::` + bucket + `"},
	"object":{"key":"` + key + `","size":120,"eTag":"d41d8cd98f00b204e9800998ecf8427e","sequencer":"0055AED6DCD90281E5"}}}]}`
}

func bridged(bucket, key string) string {
	return `{"version":"0","id":"x","detail-type":"Object Created","source":"aws.s3","account":"123456789012","time":"2026-11-23T01:02:03Z","region":"eu-central-1",
	"resources":[],"detail":{"version":"0","bucket":{"name":"` + bucket + `"},"object":{"key":"` + key + `","size":120,"etag":"x","sequencer":"0055"},"reason":"PutObject"}}`
}

func queued(t *testing.T, bodies ...string) string {
	t.Helper()
	var e events.SQSEvent
	for n, b := range bodies {
		e.Records = append(e.Records, events.SQSMessage{MessageId: string(rune('a' + n)), Body: b, EventSource: "aws:sqs"})
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const testEvent = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-23T01:02:03.456Z","Bucket":"staging","RequestId":"x","HostId":"y"}`

// newTestHandler's handler notes the objects that it is asked to finalize, and fails those whose keys hold a word.
func newTestHandler(fail map[string]error) (*handler, *[]wake.Object) {
	var called []wake.Object
	return &handler{
		finalize: func(_ context.Context, created []wake.Object) ([]wake.Result, error) {
			called = append(called, created...)
			for _, o := range created {
				for word, err := range fail {
					if strings.Contains(o.Key, word) {
						return nil, err
					}
				}
			}
			return []wake.Result{}, nil
		},
		sweep: func(context.Context) (finalizer.SweepReport, error) {
			return finalizer.SweepReport{Sealed: 1}, fail["sweep"]
		},
		log: slog.New(slog.DiscardHandler),
	}, &called
}

func TestEventsAndWhatTheyWake(t *testing.T) {
	const encoded, plain = "a%2Bb+c/_pgseal/complete/main/20261123T010203.json", "a+b c/_pgseal/complete/main/20261123T010203.json"
	woken := wake.Object{Bucket: "s3://staging", Key: plain}
	tests := []struct {
		name, event string
		want        []wake.Object
		err         bool
	}{
		{"a record of S3", s3Record("staging", encoded), []wake.Object{woken}, false},
		{"an event of EventBridge, whose key is not encoded", bridged("staging", plain), []wake.Object{woken}, false},
		{"a record of S3 through SQS", queued(t, s3Record("staging", encoded)), []wake.Object{woken}, false},
		{"an event of EventBridge through SQS", queued(t, bridged("staging", plain)), []wake.Object{woken}, false},
		{"the same marker in two messages", queued(t, s3Record("staging", encoded), s3Record("staging", encoded)), []wake.Object{woken, woken}, false},
		{"the test event of a new notification", testEvent, nil, false},
		{"the test event through SQS", queued(t, testEvent), nil, false},
		{"a key that is decoded once only", s3Record("staging", "ma%2569n"), []wake.Object{{Bucket: "s3://staging", Key: "ma%69n"}}, false},
		{"a marker that was deleted", strings.Replace(s3Record("staging", encoded), "ObjectCreated:Put", "ObjectRemoved:Delete", 1), nil, false},
		{"an event of another service", `{"source":"aws.ec2","detail-type":"x"}`, nil, true},
		{"nothing", `{}`, nil, true},
		{"no object", `[]`, nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, called := newTestHandler(nil)
			_, err := h.handle(context.Background(), json.RawMessage(test.event))
			var eventErr *wake.EventError
			if !slices.Equal(*called, test.want) || test.err != errors.As(err, &eventErr) || !test.err && err != nil {
				t.Errorf("woke %q, %v", *called, err)
			}
		})
	}
}

func TestOnlyFailedMessagesComeAgain(t *testing.T) {
	h, called := newTestHandler(map[string]error{"bad": &finalizer.TransientError{Err: errors.New("503")}})
	marker := func(server string) string {
		return s3Record("staging", "a%2Bb+c/_pgseal/complete/"+server+"/20261123T010203.json")
	}
	got, err := h.handle(context.Background(), json.RawMessage(queued(t, marker("good"), marker("bad"), "no JSON", marker("fine"))))
	if err != nil || len(*called) != 3 {
		t.Fatal(err, *called)
	}
	raw, _ := json.Marshal(got)
	if string(raw) != `{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}` {
		t.Error(string(raw))
	}
	got, _ = h.handle(context.Background(), json.RawMessage(queued(t, marker("good"))))
	if raw, _ := json.Marshal(got); string(raw) != `{"batchItemFailures":[]}` {
		t.Errorf("all done is an empty list, not %s", raw)
	}
}

// scheduled is as EventBridge writes it.
const scheduled = `{"version":"0","id":"89d1a02d-5ec7-412e-82f5-13505f849b41","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012",
	"time":"2026-11-23T18:44:49Z","region":"eu-central-1","resources":["arn:aws:events:eu-central-1:123456789012:rule/pgseal-sweep"],"detail":{}}`

func TestAScheduleSweeps(t *testing.T) {
	h, _ := newTestHandler(nil)
	report, err := h.handle(context.Background(), json.RawMessage(scheduled))
	if err != nil || report.(finalizer.SweepReport).Sealed != 1 {
		t.Error(report, err)
	}
	failure := &finalizer.AccessError{Err: errors.New("403")}
	h, _ = newTestHandler(map[string]error{"sweep": failure})
	if _, err := h.handle(context.Background(), json.RawMessage(scheduled)); err != failure {
		t.Errorf("%T %v", err, err)
	}
	got, err := h.handle(context.Background(), json.RawMessage(queued(t, scheduled)))
	if raw, _ := json.Marshal(got); err != nil || !strings.Contains(string(raw), `"itemIdentifier":"a"`) {
		t.Errorf("a schedule is no message: %s, %v", raw, err)
	}
}

func TestAnErrorKeepsItsTypesName(t *testing.T) {
	h, _ := newTestHandler(map[string]error{"main": &finalizer.TransientError{Err: errors.New("503")}})
	_, err := h.handle(context.Background(), json.RawMessage(s3Record("staging", "a%2Bb+c/_pgseal/complete/main/20261123T010203.json")))
	if _, ok := err.(*finalizer.TransientError); !ok {
		t.Errorf("%T", err)
	}
}

func TestConfigurationIsCheckedAtTheStart(t *testing.T) {
	good := map[string]string{"PGSEAL_VAULT_URL": "s3://vault/p", "PGSEAL_STAGING_URL": "s3://staging/p", "AWS_REGION": "eu-central-1"}
	for _, change := range [][2]string{
		{"PGSEAL_VAULT_URL", ""}, {"PGSEAL_STAGING_URL", "gs://x"}, {"PGSEAL_STAGING_URL", "s3://vault/p/"},
	} {
		_, err := wake.Open(context.Background(), func(v string) string {
			if v == change[0] {
				return change[1]
			}
			return good[v]
		}, openBucket, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), change[0]) {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := wake.Open(context.Background(), func(v string) string { return good[v] }, openBucket, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}

func TestTheMemoryThatLambdaGives(t *testing.T) {
	for size, want := range map[string]int64{"256": 256 << 20, "": 0, "much": 0} {
		if got := lambdaMemory(func(string) string { return size }); got != want {
			t.Errorf("%q: %d", size, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{s3Record("staging", "k"), bridged("staging", "k"), testEvent, scheduled, `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, called := newTestHandler(nil)
		h.handle(context.Background(), raw)
		for _, o := range *called {
			if !strings.HasPrefix(o.Bucket, "s3://") {
				t.Errorf("woke %q", o)
			}
		}
	})
}
