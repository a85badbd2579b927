package seal_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
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

// mark leaves the marker, and gives the event that the store makes of it.
func (b *backup) mark(t testing.TB) cloud.Event {
	t.Helper()
	body, err := json.Marshal(manifest.Marker{Server: b.server, BackupID: b.ID(), Host: "db1"})
	if err != nil {
		t.Fatal(err)
	}
	return b.markWith(t, body)
}

func (b *backup) markWith(t testing.TB, body []byte) cloud.Event {
	t.Helper()
	key := layout.Marker(b.server, b.ID())
	if _, err := b.s.hostStaging.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-b.s.arrivals(b.s.Root() + key):
		return e
	case <-time.After(10 * time.Second):
		t.Fatalf("no event of %s", key)
		return cloud.Event{}
	}
}

// wake delivers an event. The error is what makes the platform deliver it again.
func (s *story) wake(t testing.TB, w cloud.Way, e cloud.Event) error {
	t.Helper()
	return s.fn.Deliver(t.Context(), w, e)
}

// finalize marks the set and delivers the event directly; the function must answer.
func (b *backup) finalize(t testing.TB) {
	t.Helper()
	if err := b.s.wake(t, b.s.direct(), b.mark(t)); err != nil {
		t.Fatalf("%v\n%s", err, b.s.fn.Logs())
	}
}

// fails: the delivery failed with the function's error of this kind, which its log has with these words. Lambda itself
// shows the kind as well.
func (s *story) fails(t testing.TB, err error, kind string, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("the function was content, want a %s", kind)
	}
	var e *runtimeapi.Error
	if errors.As(err, &e) && e.Type != kind {
		t.Fatalf("%v, want a %s", err, kind)
	}
	words = append(words, `"kind":"`+kind+`"`)
	says(t, s.fn, words...)
}

// says waits for a line of the function's log that has all the words: what a function writes goes through a pipe of its
// own, and may be later than its answer.
func says(t testing.TB, fn cloud.Function, words ...string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !hasLine(fn.Logs(), words); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no line of the function's log has %q:\n%s", words, fn.Logs())
		}
	}
}

// hasLine tells whether a line has all the words.
func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return true
		}
	}
	return false
}
