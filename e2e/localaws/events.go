package localaws

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Notification is an event rule of a bucket. Prefix and Suffix are compared with the key as it is, not URL-encoded.
type Notification struct {
	Bucket string
	Prefix string
	Suffix string
	Events []string // "s3:ObjectCreated:*"...; empty means that
}

// wants reports whether the rule speaks about the record.
func (n Notification) wants(r Record) bool {
	events := n.Events
	if len(events) == 0 {
		events = []string{"s3:ObjectCreated:*"}
	}
	for _, pattern := range events {
		if wildcard(strings.TrimPrefix(pattern, "s3:"), r.EventName) {
			return r.S3.Bucket.Name == n.Bucket && strings.HasPrefix(r.plainKey, n.Prefix) && strings.HasSuffix(r.plainKey, n.Suffix)
		}
	}
	return false
}

// Events delivers what happens in the buckets.
type Events struct {
	mu       sync.Mutex
	rules    map[*subscription]struct{}
	recorded []Record
	sequence atomic.Uint64
}

// subscription is one receiver with its own line of waiting records.
type subscription struct {
	rule    Notification
	mu      sync.Mutex
	waiting []Record
	wake    chan struct{}
	done    chan struct{}
	once    sync.Once
}

// Subscribe calls deliver for every record that the rule wants, one after the other and in the order in which the
// requests ended, until cancel is called.
func (e *Events) Subscribe(rule Notification, deliver func(Record)) (cancel func()) {
	s := &subscription{rule: rule, wake: make(chan struct{}, 1), done: make(chan struct{})}
	e.mu.Lock()
	e.rules[s] = struct{}{}
	e.mu.Unlock()
	go s.run(deliver)
	return func() {
		e.mu.Lock()
		delete(e.rules, s)
		e.mu.Unlock()
		s.once.Do(func() { close(s.done) })
	}
}

// Recorded returns every record made so far, whether somebody wanted it or not.
func (e *Events) Recorded() []Record {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Record(nil), e.recorded...)
}

// publish hands the record to everybody who wants it.
func (e *Events) publish(r Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recorded = append(e.recorded, r)
	for s := range e.rules {
		if s.rule.wants(r) {
			s.push(r)
		}
	}
}

// close ends all subscriptions.
func (e *Events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.rules {
		s.once.Do(func() { close(s.done) })
	}
	clear(e.rules)
}

func (s *subscription) push(r Record) {
	s.mu.Lock()
	s.waiting = append(s.waiting, r)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscription) run(deliver func(Record)) {
	for {
		select {
		case <-s.done:
			return
		case <-s.wake:
		}
		s.mu.Lock()
		batch := s.waiting
		s.waiting = nil
		s.mu.Unlock()
		for _, r := range batch {
			select {
			case <-s.done:
				return
			default:
				deliver(r)
			}
		}
	}
}

// publish makes the record of a request that succeeded.
func (a *AWS) publish(x exchange, r *http.Request, answer *heldAnswer) {
	version := answer.header.Get("x-amz-version-id")
	if x.op.name == "DeleteObject" {
		a.publishDelete(x, x.op.version == "" && answer.header.Get("x-amz-delete-marker") == "true", version)
		return
	}
	names := map[string]string{
		"PutObject":               "ObjectCreated:Put",
		"CopyObject":              "ObjectCreated:Copy",
		"CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
	}
	record := a.newRecord(x, names[x.op.name], version)
	record.S3.Object.Size, record.S3.Object.ETag = sizeOf(r), strings.Trim(answer.header.Get("ETag"), `"`)
	if x.op.name != "PutObject" {
		a.askSize(&record, x, answer)
	}
	a.Events.publish(record)
}

// sizeOf is the length of the object in the body, which is longer when it is sent in signed chunks.
func sizeOf(r *http.Request) *int64 {
	size := r.ContentLength
	if n, err := strconv.ParseInt(r.Header.Get("x-amz-decoded-content-length"), 10, 64); err == nil {
		size = n
	}
	return &size
}

// askSize fills in what the answer to a Complete or Copy does not tell.
func (a *AWS) askSize(record *Record, x exchange, answer *heldAnswer) {
	var result struct{ ETag string }
	if xml.Unmarshal(answer.body.Bytes(), &result) == nil {
		record.S3.Object.ETag = strings.Trim(result.ETag, `"`)
	}
	in := &s3.HeadObjectInput{Bucket: aws.String(x.op.bucket), Key: aws.String(x.op.key)}
	if record.S3.Object.VersionID != "" {
		in.VersionId = aws.String(record.S3.Object.VersionID)
	}
	// The client may be gone already; the object is there all the same.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if head, err := a.root.HeadObject(ctx, in); err == nil {
		record.S3.Object.Size = head.ContentLength
	}
}

// publishDelete makes the record of a delete.
func (a *AWS) publishDelete(x exchange, marker bool, version string) {
	name := "ObjectRemoved:Delete"
	if marker {
		name = "ObjectRemoved:DeleteMarkerCreated"
	}
	a.Events.publish(a.newRecord(x, name, version))
}

// nextSequencer is a hexadecimal number that grows.
func (e *Events) nextSequencer() string {
	return fmt.Sprintf("%016X", uint64(time.Now().Unix())<<24|e.sequence.Add(1)&0xffffff)
}
