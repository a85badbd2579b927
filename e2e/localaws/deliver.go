package localaws

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// Invoke calls a function with an event. An error means that the function failed, as an exception does on Lambda.
type Invoke func(ctx context.Context, payload []byte) ([]byte, error)

// Answer is what a function said.
type Answer struct {
	Payload []byte
	Err     error
}

// Repeat delivers the same event n times, one after the other.
func Repeat(ctx context.Context, invoke Invoke, n int, payload []byte) []Answer {
	answers := make([]Answer, n)
	for i := range answers {
		answers[i].Payload, answers[i].Err = invoke(ctx, payload)
	}
	return answers
}

// AtOnce delivers the same event n times at the same moment.
func AtOnce(ctx context.Context, invoke Invoke, n int, payload []byte) []Answer {
	answers := make([]Answer, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i].Payload, answers[i].Err = invoke(ctx, payload) })
	}
	all.Wait()
	return answers
}

// Drive is the event source mapping between the queue and a function with ReportBatchItemFailures: it delivers batches
// of up to size messages until the context ends. What the function does not name as failed is deleted; an error, or an
// answer that makes no sense, means that the whole batch comes again.
func (q *Queue) Drive(ctx context.Context, size int, invoke Invoke) {
	for {
		batch, err := q.Receive(ctx, size)
		if err != nil {
			return
		}
		payload, err := invoke(ctx, SQSEvent(batch...))
		if err != nil {
			continue
		}
		failed, ok := batchFailures(payload, batch)
		if !ok {
			continue
		}
		for _, m := range batch {
			if !slices.Contains(failed, m.ID) {
				q.Delete(m)
			}
		}
	}
}

// batchFailures reads {"batchItemFailures":[{"itemIdentifier":"..."}]}; ok is false when Lambda would take the whole
// batch as failed.
func batchFailures(payload []byte, batch []Message) (failed []string, ok bool) {
	if len(payload) == 0 || string(payload) == "null" {
		return nil, true
	}
	var answer struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(payload, &answer) != nil {
		return nil, false
	}
	for _, f := range answer.BatchItemFailures {
		if !slices.ContainsFunc(batch, func(m Message) bool { return m.ID == f.ItemIdentifier }) {
			return nil, false
		}
		failed = append(failed, f.ItemIdentifier)
	}
	return failed, true
}
