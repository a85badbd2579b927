package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

// handler turns one event into created objects or a sweep, and results into an
// answer.
type handler struct {
	finalize func(ctx context.Context, created []wake.Object) ([]wake.Result, error)
	sweep    func(ctx context.Context) (finalizer.SweepReport, error)
	log      *slog.Logger
}

// Answer is what a direct invocation gets back, for whoever reads it.
type Answer struct {
	Results []wake.Result `json:"results"`
}

// handle answers events of S3 and EventBridge with the verdicts, batches of SQS
// with the messages that must come again, and a schedule with the sweep's
// report. An error is returned for what may
// end differently the next time, and for what nobody else would see: an event
// of an unknown kind ends in the dead-letter queue, where the alarm is.
func (h *handler) handle(ctx context.Context, raw json.RawMessage) (any, error) {
	shape, err := shapeOf(raw)
	if err != nil {
		return nil, err
	}
	switch shape {
	case sqsShape:
		return h.handleQueue(ctx, raw)
	case scheduleShape:
		return h.sweep(ctx)
	}
	created, err := createdIn(shape, raw)
	if err != nil {
		return nil, err
	}
	results, err := h.finalize(ctx, created)
	return Answer{results}, err
}

// handleQueue works through a batch and reports the messages that failed; those
// that did not are not delivered again.
func (h *handler) handleQueue(ctx context.Context, raw json.RawMessage) (any, error) {
	var batch events.SQSEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		return nil, &wake.EventError{Text: fmt.Sprintf("malformed batch of SQS: %v", err)}
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, message := range batch.Records {
		body := json.RawMessage(message.Body)
		shape, err := shapeOf(body)
		var created []wake.Object
		if err == nil && (shape == sqsShape || shape == scheduleShape) {
			err = &wake.EventError{Text: "a batch of SQS or a schedule inside a message of SQS"}
		}
		if err == nil {
			created, err = createdIn(shape, body)
		}
		if err == nil {
			_, err = h.finalize(ctx, created)
		}
		if err != nil {
			h.log.Error("a message is left to be delivered again", "message_id", message.MessageId, "error", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	return answer, nil
}
