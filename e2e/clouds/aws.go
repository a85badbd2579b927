package clouds

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

const (
	s3Itself    cloud.Way = "directly from S3"
	eventBridge cloud.Way = "through EventBridge"
	sqs         cloud.Way = "through SQS"
)

// AWS is a local Amazon S3 with the Lambda function.
var AWS = Kind{
	Name: "AWS", Provider: "aws-s3", Versions: true, Ways: []cloud.Way{s3Itself, eventBridge, sqs}, Tries: 5, Memory: 256 << 20, ObjectLocks: true,
	Wrong:   func(cloud.Store) []string { return []string{"AWS_SECRET_ACCESS_KEY=wrong"} },
	Address: func(s cloud.Store) string { return host(s.(*localaws.AWS).Endpoint) },
	Stock:   func(s cloud.Store) []string { return []string{"--endpoint-url", s.(*localaws.AWS).Endpoint} },
	start: func(t testing.TB, c cloud.Config) cloud.Store {
		return localaws.Start(t, localaws.Config{Prefix: c.Prefix, Server: c.Server, VaultRetention: c.VaultRetention, HostMaySetRetention: c.HostMaySetRetention})
	},
	deploy: func(t testing.TB, wrap Wrap, env []string) cloud.Function {
		return &lambda{runtimeapi.Start(t, wrapped(t, build.Bootstrap(t), wrap), env...)}
	},
	connect: func(t testing.TB, s cloud.Store, fn cloud.Function, again time.Duration) Trigger {
		a := s.(*localaws.AWS)
		q := queue{a.Queue(a.Markers(), localaws.QueueConfig{VisibilityTimeout: again, MaxReceives: 100})}
		ctx, stop := context.WithCancel(context.Background())
		var driving sync.WaitGroup
		driving.Go(func() { q.Drive(ctx, 10, fn.(*lambda).Invoke) })
		t.Cleanup(func() { stop(); driving.Wait() })
		return q
	},
}

// queue is Amazon SQS between S3 and the function.
type queue struct{ *localaws.Queue }

func (q queue) Dead() int { return len(q.DeadLetters()) }

// lambda is the function on AWS.
type lambda struct{ *runtimeapi.Function }

// Deliver hands over all events in one payload; through EventBridge each comes in one of its own.
func (l *lambda) Deliver(ctx context.Context, way cloud.Way, events ...cloud.Event) error {
	records := make([]localaws.Record, len(events))
	for i, e := range events {
		records[i] = e.Record.(localaws.Record)
	}
	switch way {
	case eventBridge:
		for _, r := range records {
			if result := l.Call(ctx, localaws.EventBridgeEvent(r)); result.Err != nil {
				return result.Err
			}
		}
		return nil
	case sqs:
		var messages []localaws.Message
		for i, r := range records {
			messages = append(messages, localaws.Message{ID: fmt.Sprint(i), Body: string(localaws.S3Event(r)), Receives: 1, Sent: time.Now()})
		}
		result := l.Call(ctx, localaws.SQSEvent(messages...))
		if result.Err != nil {
			return result.Err
		}
		if string(result.Payload) != `{"batchItemFailures":[]}` {
			return fmt.Errorf("left in the queue: %s", result.Payload)
		}
		return nil
	}
	if result := l.Call(ctx, localaws.S3Event(records...)); result.Err != nil {
		return result.Err
	}
	return nil
}
