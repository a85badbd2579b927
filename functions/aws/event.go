package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pgseal/pgseal/functions/wake"
)

// shape tells the events apart that can reach the function.
type shape int

const (
	s3Shape          shape = iota // records of S3
	testShape                     // s3:TestEvent, sent when a notification is configured
	eventBridgeShape              // "Object Created" of EventBridge
	sqsShape                      // a batch of SQS with any of the above inside
	scheduleShape                 // a schedule of EventBridge: time to sweep
)

// object is a created object as the wake package has it.
func object(bucket, key string) wake.Object { return wake.Object{Bucket: "s3://" + bucket, Key: key} }

// shapeOf decides by the fields that each service documents as its own.
func shapeOf(raw json.RawMessage) (shape, error) {
	var probe struct {
		Event      string
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
		Records    []struct {
			EventSource string `json:"eventSource"`
		}
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return 0, &wake.EventError{Text: fmt.Sprintf("malformed event: %v", err)}
	}
	switch {
	case probe.Event == "s3:TestEvent":
		return testShape, nil
	case probe.Source == "aws.s3" && probe.DetailType == "Object Created":
		return eventBridgeShape, nil
	case probe.Source == "aws.events" && probe.DetailType == "Scheduled Event":
		return scheduleShape, nil
	case len(probe.Records) > 0 && probe.Records[0].EventSource == "aws:sqs":
		return sqsShape, nil
	case len(probe.Records) > 0 && probe.Records[0].EventSource == "aws:s3":
		return s3Shape, nil
	}
	return 0, &wake.EventError{Text: fmt.Sprintf("an event of a kind that this function is not woken by: %.200s", raw)}
}

// createdIn takes the created objects out of an event of one shape. S3 encodes
// keys in its own records, form style, and not in EventBridge's; each is
// decoded exactly as often as it was encoded.
func createdIn(s shape, raw json.RawMessage) ([]wake.Object, error) {
	switch s {
	case s3Shape:
		var e events.S3Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, &wake.EventError{Text: fmt.Sprintf("malformed event of S3: %v", err)}
		}
		var created []wake.Object
		for _, r := range e.Records {
			if strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
				created = append(created, object(r.S3.Bucket.Name, r.S3.Object.URLDecodedKey))
			}
		}
		return created, nil
	case eventBridgeShape:
		var e struct {
			Detail struct {
				Bucket struct {
					Name string `json:"name"`
				} `json:"bucket"`
				Object struct {
					Key string `json:"key"`
				} `json:"object"`
			} `json:"detail"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, &wake.EventError{Text: fmt.Sprintf("malformed event of EventBridge: %v", err)}
		}
		return []wake.Object{object(e.Detail.Bucket.Name, e.Detail.Object.Key)}, nil
	}
	return nil, nil
}
