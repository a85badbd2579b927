package drill_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is what a program says while it runs.
type lines struct {
	mu   sync.Mutex
	said bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

// wait waits until the program has said something.
func (l *lines) wait(t *testing.T, word string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(l.String(), word); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q was never said:\n%s", word, l)
		}
	}
}
