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

func newTestHandler(fail map[string]error) (*handler, *[]string) {
	var called []string
	return &handler{
		finalize: func(_ context.Context, server, id string) (finalizer.Verdict, error) {
			called = append(called, server+" "+id)
			return finalizer.Verdict{State: finalizer.Sealed}, fail[server]
		},
		staging: parsePlace("s3://staging/a+b c"), log: slog.New(slog.DiscardHandler),
	}, &called
}

func TestEventsAndWhatTheyWake(t *testing.T) {
	const encoded, plain = "a%2Bb+c/_pgseal/complete/main/20261123T010203.json", "a+b c/_pgseal/complete/main/20261123T010203.json"
	const woken = "main 20261123T010203"
	tests := []struct {
		name, event string
		want        []string
		err         bool
	}{
		{"a record of S3", s3Record("staging", encoded), []string{woken}, false},
		{"an event of EventBridge, whose key is not encoded", bridged("staging", plain), []string{woken}, false},
		{"a record of S3 through SQS", queued(t, s3Record("staging", encoded)), []string{woken}, false},
		{"an event of EventBridge through SQS", queued(t, bridged("staging", plain)), []string{woken}, false},
		{"the same marker in two messages", queued(t, s3Record("staging", encoded), s3Record("staging", encoded)), []string{woken, woken}, false},
		{"the test event of a new notification", testEvent, nil, false},
		{"the test event through SQS", queued(t, testEvent), nil, false},
		{"a key that is decoded once only", s3Record("staging", strings.Replace(encoded, "main", "ma%2569n", 1)), nil, false},
		{"a stray object in the markers' place", s3Record("staging", "a%2Bb+c/_pgseal/complete/main/x.json"), nil, false},
		{"a marker outside the prefix", s3Record("staging", "_pgseal/complete/main/20261123T010203.json"), nil, false},
		{"a marker that climbs", s3Record("staging", "a%2Bb+c/_pgseal/complete/../20261123T010203.json"), nil, false},
		{"a marker that was deleted", strings.Replace(s3Record("staging", encoded), "ObjectCreated:Put", "ObjectRemoved:Delete", 1), nil, false},
		{"another bucket's event", s3Record("vault", encoded), nil, true},
		{"an event of another service", `{"source":"aws.ec2","detail-type":"x"}`, nil, true},
		{"nothing", `{}`, nil, true},
		{"no object", `[]`, nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, called := newTestHandler(nil)
			_, err := h.handle(context.Background(), json.RawMessage(test.event))
			var eventErr *EventError
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

func TestAnErrorKeepsItsTypesName(t *testing.T) {
	h, _ := newTestHandler(map[string]error{"main": &finalizer.TransientError{Err: errors.New("503")}})
	_, err := h.handle(context.Background(), json.RawMessage(s3Record("staging", "a%2Bb+c/_pgseal/complete/main/20261123T010203.json")))
	if _, ok := err.(*finalizer.TransientError); !ok {
		t.Errorf("%T", err)
	}
}

func TestConfigurationIsCheckedAtTheStart(t *testing.T) {
	good := map[string]string{"PGSEAL_VAULT_URL": "s3://vault/p", "PGSEAL_STAGING_URL": "s3://staging/p", "AWS_REGION": "eu-central-1"}
	for name, change := range map[string][2]string{
		"PGSEAL_VAULT_URL":       {"PGSEAL_VAULT_URL", ""},
		"PGSEAL_STAGING_URL":     {"PGSEAL_STAGING_URL", "gs://x"},
		"are the same place":     {"PGSEAL_STAGING_URL", "s3://vault/p/"},
		"one inside the other":   {"PGSEAL_STAGING_URL", "s3://vault/p/staging"},
		"PGSEAL_MIN_RETENTION":   {"PGSEAL_MIN_RETENTION", "long"},
		"PGSEAL_WAL_CHECK":       {"PGSEAL_WAL_CHECK", "sometimes"},
		"PGSEAL_WAL_DEADLINE":    {"PGSEAL_WAL_DEADLINE", "0"},
		"PGSEAL_DEADLINE: \"1s2": {"PGSEAL_DEADLINE", "1s2"},
	} {
		_, err := newHandler(context.Background(), func(v string) string {
			if v == change[0] {
				return change[1]
			}
			return good[v]
		}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newHandler(context.Background(), func(v string) string { return good[v] }, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}

func TestTheCollectorKnowsWhatLambdaGives(t *testing.T) {
	for _, test := range []struct {
		size, own string
		want      int64
	}{{"256", "", 192 << 20}, {"", "", 0}, {"256", "100MiB", 0}, {"much", "", 0}} {
		env := map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": test.size, "GOMEMLIMIT": test.own}
		if got := memoryLimit(func(name string) string { return env[name] }); got != test.want {
			t.Errorf("%v: %d", test, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{s3Record("staging", "k"), bridged("staging", "k"), testEvent, `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, called := newTestHandler(nil)
		h.handle(context.Background(), raw)
		for _, c := range *called {
			if strings.ContainsAny(c, "/\n") {
				t.Errorf("woke %q", c)
			}
		}
	})
}
