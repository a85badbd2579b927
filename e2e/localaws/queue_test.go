package localaws_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// deliveries counts how often each body came.
type deliveries struct {
	mu    sync.Mutex
	count map[string]int
}

func (d *deliveries) note(body string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil {
		d.count = map[string]int{}
	}
	d.count[body]++
	return d.count[body]
}

// drive lets the handler work on the queue until everything is settled.
func drive(t *testing.T, q *localaws.Queue, handle localaws.Invoke) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { q.Drive(ctx, 10, handle) })
	err := q.Settle(ctx)
	cancel()
	all.Wait()
	if err != nil {
		t.Fatalf("%d messages are left: %v", q.Len(), err)
	}
}

func TestAFailedBatchComesAgain(t *testing.T) {
	q := localaws.NewQueue(localaws.QueueConfig{VisibilityTimeout: 5 * time.Millisecond})
	q.Send([]byte("a"))
	var d deliveries
	drive(t, q, func(context.Context, []byte) ([]byte, error) {
		if d.note("a") < 3 {
			return nil, errors.New("not yet")
		}
		return nil, nil
	})
	if d.count["a"] != 3 || len(q.DeadLetters()) != 0 {
		t.Errorf("%v, dead: %v", d.count, q.DeadLetters())
	}
}

func TestOnlyTheFailedItemsOfABatchComeAgainAndThenDie(t *testing.T) {
	q := localaws.NewQueue(localaws.QueueConfig{VisibilityTimeout: 5 * time.Millisecond, MaxReceives: 3})
	for _, body := range []string{"good", "bad", "late"} {
		q.Send([]byte(body))
	}
	var d deliveries
	drive(t, q, func(_ context.Context, payload []byte) ([]byte, error) {
		var e events.SQSEvent
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, err
		}
		var answer events.SQSEventResponse
		for _, m := range e.Records {
			if n := d.note(m.Body); m.Body == "bad" || m.Body == "late" && n < 2 {
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return json.Marshal(answer)
	})
	if d.count["good"] != 1 || d.count["late"] != 2 || d.count["bad"] != 3 {
		t.Errorf("%v", d.count)
	}
	if dead := q.DeadLetters(); len(dead) != 1 || dead[0].Body != "bad" {
		t.Errorf("dead letters: %+v", dead)
	}
}

func TestAnAnswerThatNamesAnUnknownMessageFailsTheBatch(t *testing.T) {
	q := localaws.NewQueue(localaws.QueueConfig{VisibilityTimeout: time.Millisecond, MaxReceives: 2})
	q.Send([]byte("a"))
	drive(t, q, func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"batchItemFailures":[{"itemIdentifier":""}]}`), nil
	})
	if len(q.DeadLetters()) != 1 {
		t.Errorf("dead letters: %+v", q.DeadLetters())
	}
}

func TestABucketFeedsAQueue(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	q := a.Queue(localaws.Notification{Bucket: a.Staging, Prefix: "_pgseal/complete/"}, localaws.QueueConfig{VisibilityTimeout: time.Minute})
	if _, err := putAs(a.Client(a.Host), a.Staging, "_pgseal/complete/main/20260101T000000.json", "{}"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	got, err := q.Receive(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	var e events.S3Event
	decode(t, []byte(got[0].Body), &e)
	if e.Records[0].S3.Object.URLDecodedKey != "_pgseal/complete/main/20260101T000000.json" {
		t.Errorf("%+v", e)
	}
}

func TestDeliveriesOfOneEvent(t *testing.T) {
	var d deliveries
	invoke := func(_ context.Context, payload []byte) ([]byte, error) {
		d.note(string(payload))
		return payload, nil
	}
	for _, answers := range [][]localaws.Answer{
		localaws.Repeat(context.Background(), invoke, 3, []byte("in turn")),
		localaws.AtOnce(context.Background(), invoke, 2, []byte("at once")),
	} {
		for _, a := range answers {
			if a.Err != nil || len(a.Payload) != 7 {
				t.Errorf("%+v", a)
			}
		}
	}
	if d.count["in turn"] != 3 || d.count["at once"] != 2 {
		t.Errorf("%v", d.count)
	}
}
