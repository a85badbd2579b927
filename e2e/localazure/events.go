package localazure

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Record is a creation as Event Grid tells of it: Microsoft.Storage.BlobCreated, in Event Grid's own schema ("Azure Blob
// Storage as Event Grid source", 2026-11).
type Record struct {
	Topic           string     `json:"topic"`
	Subject         string     `json:"subject"`
	EventType       string     `json:"eventType"`
	ID              string     `json:"id"`
	Data            RecordData `json:"data"`
	DataVersion     string     `json:"dataVersion"`
	MetadataVersion string     `json:"metadataVersion"`
	EventTime       string     `json:"eventTime"`

	container, blob string
}

// RecordData is what is told of the blob.
type RecordData struct {
	API                string            `json:"api"` // PutBlob, PutBlockList, CopyBlob
	ClientRequestID    string            `json:"clientRequestId"`
	RequestID          string            `json:"requestId"`
	ETag               string            `json:"eTag"`
	ContentType        string            `json:"contentType"`
	ContentLength      int64             `json:"contentLength"`
	BlobType           string            `json:"blobType"`
	AccessTier         string            `json:"accessTier"`
	URL                string            `json:"url"`
	Sequencer          string            `json:"sequencer"`
	StorageDiagnostics map[string]string `json:"storageDiagnostics"`
}

const topic = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/pgseal/providers/Microsoft.Storage/storageAccounts/" + Account

var sequence atomic.Uint64

// newRecord tells of what a request has made.
func (a *Azure) newRecord(o operation, answer *http.Response) Record {
	in := answer.Request.Header
	contentType := in.Get("x-ms-blob-content-type")
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	r := Record{
		Topic: topic, Subject: "/blobServices/default/containers/" + o.container + "/blobs/" + o.blob,
		EventType: "Microsoft.Storage.BlobCreated", ID: uuid(), DataVersion: "", MetadataVersion: "1",
		EventTime: a.Clock.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), container: o.container, blob: o.blob,
		Data: RecordData{
			API: o.name, ClientRequestID: in.Get("x-ms-client-request-id"), RequestID: answer.Header.Get("x-ms-request-id"),
			ETag: strings.Trim(answer.Header.Get("ETag"), `"`), ContentType: contentType, BlobType: "BlockBlob", AccessTier: "Default",
			URL:                a.Endpoint + "/" + o.container + "/" + o.blob,
			Sequencer:          fmt.Sprintf("%032X%016x", 0, sequence.Add(1)),
			StorageDiagnostics: map[string]string{"batchId": uuid()},
		},
	}
	if o.name == "PutBlob" {
		r.Data.ContentLength = answer.Request.ContentLength
	}
	return r
}

// EventGridEvent is the event as Event Grid puts it into a queue or hands it to a function, one at a time.
func EventGridEvent(r Record) []byte { return mustJSON(r) }

// CloudEvent is the event in the schema CloudEvents 1.0, which a subscription may ask for.
func CloudEvent(r Record) []byte {
	return mustJSON(map[string]any{
		"specversion": "1.0", "source": r.Topic, "subject": r.Subject, "type": r.EventType, "id": r.ID, "time": r.EventTime, "data": r.Data,
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only strings and numbers
	}
	return b
}

// events delivers what is created.
type events struct {
	mu   sync.Mutex
	subs map[*subscription]struct{}
}

// subscription is one receiver with its own line of waiting records.
type subscription struct {
	container, prefix string
	line              chan Record
	done              chan struct{}
	once              sync.Once
}

// subscribe calls deliver for every blob that is created in the container below the prefix, one after the other.
func (e *events) subscribe(container, prefix string, deliver func(Record)) (cancel func()) {
	s := &subscription{container: container, prefix: prefix, line: make(chan Record, 1<<16), done: make(chan struct{})}
	e.mu.Lock()
	if e.subs == nil {
		e.subs = map[*subscription]struct{}{}
	}
	e.subs[s] = struct{}{}
	e.mu.Unlock()
	go func() {
		for {
			select {
			case <-s.done:
				return
			case r := <-s.line:
				deliver(r)
			}
		}
	}()
	return func() {
		e.mu.Lock()
		delete(e.subs, s)
		e.mu.Unlock()
		s.once.Do(func() { close(s.done) })
	}
}

func (e *events) publish(r Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subs {
		if s.container == r.container && strings.HasPrefix(r.blob, s.prefix) {
			s.line <- r
		}
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subs {
		s.once.Do(func() { close(s.done) })
	}
	e.subs = nil
}

// Push is a subscription that hands each event to a function itself: when that fails, again after the pauses, until they
// are used up, and then to the dead letters. Azure waits 10 s, 30 s, 1 min, 5 min, ... ("Event Grid message delivery and
// retry", 2026-11). A later event does not wait for an earlier one.
func (a *Azure) Push(container, prefix string, pauses []time.Duration, deliver func(event []byte) error, dead func(event []byte)) (cancel func()) {
	return a.events.subscribe(container, prefix, func(r Record) {
		go func() {
			event := EventGridEvent(r)
			for _, pause := range append(pauses[:len(pauses):len(pauses)], -1) {
				if deliver(event) == nil {
					return
				}
				if pause < 0 {
					dead(event)
					return
				}
				time.Sleep(pause)
			}
		}()
	})
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
