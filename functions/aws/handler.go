package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

// handler turns one event into calls of Finalize, and verdicts into an answer.
type handler struct {
	finalize func(ctx context.Context, server, id string) (finalizer.Verdict, error)
	staging  place
	log      *slog.Logger
}

// place is where markers come from.
type place struct {
	bucket string
	prefix string // with its trailing slash, or empty
}

func parsePlace(url string) place {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "/")
	if prefix != "" {
		prefix += "/"
	}
	return place{bucket, prefix}
}

// Answer is what a direct invocation gets back, for whoever reads it.
type Answer struct {
	Results []Result `json:"results"`
}

// Result is one backup's verdict.
type Result struct {
	Server   string          `json:"server"`
	BackupID string          `json:"backup_id"`
	Verdict  finalizer.State `json:"verdict"`
	Class    finalizer.Class `json:"class,omitempty"`
}

// EventError: the event is none that this function can be woken by. Delivering
// it again does not help; it ends in the dead-letter queue, where the alarm is.
type EventError struct{ text string }

func (e *EventError) Error() string { return e.text }

// handle answers events of S3 and EventBridge with the verdicts, and batches of
// SQS with the messages that must come again. An error is returned only for
// what may end differently the next time, or for what nobody else would see.
func (h *handler) handle(ctx context.Context, raw json.RawMessage) (any, error) {
	shape, err := shapeOf(raw)
	if err != nil {
		return nil, err
	}
	if shape == sqsShape {
		return h.handleQueue(ctx, raw)
	}
	created, err := createdIn(shape, raw)
	if err != nil {
		return nil, err
	}
	return h.finalizeAll(ctx, created)
}

// handleQueue works through a batch and reports the messages that failed; those
// that did not are not delivered again.
func (h *handler) handleQueue(ctx context.Context, raw json.RawMessage) (any, error) {
	var batch events.SQSEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		return nil, &EventError{fmt.Sprintf("malformed batch of SQS: %v", err)}
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, message := range batch.Records {
		body := json.RawMessage(message.Body)
		shape, err := shapeOf(body)
		var created []object
		if err == nil && shape == sqsShape {
			err = &EventError{"a batch of SQS inside a message of SQS"}
		}
		if err == nil {
			created, err = createdIn(shape, body)
		}
		if err == nil {
			_, err = h.finalizeAll(ctx, created)
		}
		if err != nil {
			h.log.Error("a message is left to be delivered again", "message_id", message.MessageId, "error", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	return answer, nil
}

// finalizeAll calls Finalize once for each backup that the objects name, and
// gives the first error after it has tried them all.
func (h *handler) finalizeAll(ctx context.Context, created []object) (Answer, error) {
	answer := Answer{Results: []Result{}}
	var errs []error
	done := map[object]bool{}
	for _, o := range created {
		if done[o] {
			continue
		}
		done[o] = true
		server, id, err := h.backupOf(o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if id == "" {
			continue
		}
		v, err := h.finalize(ctx, server, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		answer.Results = append(answer.Results, Result{server, id, v.State, v.Class})
	}
	if len(errs) == 0 {
		return answer, nil
	}
	// Lambda shows the type's name, and metrics filter by it: the first error
	// speaks for all, and each is in the log.
	for _, err := range errs {
		h.log.Error("not finalized", "error", err)
	}
	return answer, errs[0]
}

// backupOf reads a marker's key. An object in another bucket is a wrong
// configuration, and an error; one whose key is no marker's is somebody's
// stray, and is passed over: a host may write what it likes there.
func (h *handler) backupOf(o object) (server, id string, err error) {
	if o.bucket != h.staging.bucket {
		return "", "", &EventError{fmt.Sprintf("the event is of bucket %q, and %s is in %q: connect the trigger to staging", o.bucket, envStaging, h.staging.bucket)}
	}
	key, below := strings.CutPrefix(o.key, h.staging.prefix)
	if below {
		server, id, err = layout.ParseMarker(key)
	}
	if !below || err != nil {
		h.log.Warn("not a marker: passed over", "key", o.key, "error", err)
		return "", "", nil
	}
	return server, id, nil
}
