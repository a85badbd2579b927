package seal_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

// backup is one set of a story, uploaded by the host.
type backup struct {
	*settest.Set
	s      *story
	server string
}

// backup prepares a set of a server; nothing is uploaded yet.
func (s *story) backup(server string) *backup {
	return &backup{settest.New(server, time.Now()), s, server}
}

// uploaded is a whole set.
func (s *story) uploaded(t testing.TB, server string) *backup {
	t.Helper()
	b := s.backup(server)
	b.Upload(t, s.host)
	return b
}

// createdWith makes one more object, as the host, and its entry for the manifest.
func (b *backup) createdWith(t testing.TB, name string, body []byte) manifest.Object {
	t.Helper()
	obj := b.Create(t, b.s.host, b.Key(name), body)
	sum := sha256.Sum256(body)
	return manifest.Object{Name: name, Size: obj.Size, SHA256: hex.EncodeToString(sum[:]), CRC32C: obj.CRC32C, ETag: obj.ETag, Version: obj.Version}
}

// mark leaves the marker, and gives the event that S3 makes of it.
func (b *backup) mark(t testing.TB) localaws.Record {
	t.Helper()
	body, err := json.Marshal(manifest.Marker{Server: b.server, BackupID: b.ID(), Host: "db1"})
	if err != nil {
		t.Fatal(err)
	}
	return b.markWith(t, body)
}

func (b *backup) markWith(t testing.TB, body []byte) localaws.Record {
	t.Helper()
	key := layout.Marker(b.server, b.ID())
	if _, err := b.s.hostStaging.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-b.s.arrivals(b.s.Prefix + "/" + key):
		return r
	case <-time.After(10 * time.Second):
		t.Fatalf("no event of %s", key)
		return localaws.Record{}
	}
}

// way is how an event reaches the function.
type way string

const (
	direct way = "directly from S3"
	bridge way = "through EventBridge"
	queue  way = "through SQS"
)

func payload(w way, r localaws.Record) []byte {
	switch w {
	case bridge:
		return localaws.EventBridgeEvent(r)
	case queue:
		return localaws.SQSEvent(localaws.Message{ID: "one", Body: string(localaws.S3Event(r)), Receives: 1, Sent: time.Now()})
	}
	return localaws.S3Event(r)
}

// errLeft is a message that the function wants to get again.
var errLeft = errors.New("left in the queue")

// wake delivers an event. The error is the function's, *runtimeapi.Error, or errLeft.
func (s *story) wake(t testing.TB, w way, r localaws.Record) error {
	t.Helper()
	return s.wakeThis(t, s.fn, w, r)
}

func (s *story) wakeThis(t testing.TB, fn *runtimeapi.Function, w way, r localaws.Record) error {
	result := fn.Call(t.Context(), payload(w, r))
	if result.Err != nil {
		return result.Err
	}
	if w == queue && string(result.Payload) != `{"batchItemFailures":[]}` {
		return fmt.Errorf("%w: %s", errLeft, result.Payload)
	}
	return nil
}

// finalize marks the set and delivers the event directly; the function must answer.
func (b *backup) finalize(t testing.TB) {
	t.Helper()
	if err := b.s.wake(t, direct, b.mark(t)); err != nil {
		t.Fatalf("%v\n%s", err, b.s.fn.Logs())
	}
}

// failsAs is the function's error of this type, with words in it.
func failsAs(t testing.TB, err error, kind string, words ...string) {
	t.Helper()
	var e *runtimeapi.Error
	if !errors.As(err, &e) || e.Type != kind {
		t.Fatalf("%v, want a %s", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			t.Errorf("%q is not in %q", w, e.Message)
		}
	}
}
