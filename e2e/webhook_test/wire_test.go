package webhook_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// wire is the way from the service to the store: it can be cut, and it can swallow what is sent.
type wire struct {
	listener net.Listener

	mu    sync.Mutex
	to    string // "" is cut
	mute  bool   // what is sent is taken, and arrives nowhere
	conns map[net.Conn]bool
	taken int // connections that a mute wire took, or on which something was sent
}

func newWire(t *testing.T) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); w.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

func (w *wire) open(to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to, w.mute = to, false
}

// cut ends all connections, and refuses new ones.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = ""
	for c := range w.conns {
		c.Close()
	}
}

// silence ends all connections, and lets new ones wait for ever.
func (w *wire) silence() {
	w.cut()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute, w.taken = true, 0
}

// waiting tells how many wait for an answer on a silent wire.
func (w *wire) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken
}

func (w *wire) carry(c net.Conn) {
	defer c.Close()
	w.mu.Lock()
	to, mute := w.to, w.mute
	w.conns[c] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, c)
	}()
	if mute {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			w.mu.Lock()
			w.taken++
			w.mu.Unlock()
		}
		_, _ = io.Copy(io.Discard, c)
		return
	}
	if to == "" {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, c)
		server.Close()
	}()
	_, _ = io.Copy(c, server)
}
