// Package silence ends connections to a store on which nothing moves any more,
// for the drivers that speak HTTP.
package silence

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Default is how long drivers let a connection be silent when nobody says
// otherwise: a store may take some time to complete a large object.
const Default = 5 * time.Minute

// Limit makes the transport's connections fail when nothing moves on them for
// that long.
func Limit(t *http.Transport, silence time.Duration) {
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watched{Conn: c, silence: silence}, nil
	}
}

// watched is a connection that fails when nothing moves on it for a while. A
// write counts as movement for reads too: while a slow line takes a long part,
// the store has nothing to say.
type watched struct {
	net.Conn
	silence time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(w.silence)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

func (w *watched) Write(p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(w.silence)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}
