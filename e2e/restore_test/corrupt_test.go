package restore_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// Somebody on the way changes a byte, of which neither HTTP nor the store knows. It is noticed, and once the way is
// clean the same command goes on. Archives without compression have no checksum of their own.
func TestACorruptedDownloadIsNoticed(t *testing.T) {
	t.Parallel()
	s := sealed.Start(t, clouds.AWS)
	source := s.Cluster(t, pgtest.Options{})
	source.SQL("CREATE TABLE story AS SELECT generate_series(1, 1000) i")
	id := s.Backup(t, source)

	to, err := url.Parse(s.Store.(*localaws.AWS).Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var corrupted atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.Method == http.MethodGet && strings.HasSuffix(r.Request.URL.Path, "/data.tar") {
			corrupted.Add(1)
			r.Body = &flipped{ReadCloser: r.Body, at: 100_000}
		}
		return nil
	}
	way := httptest.NewServer(proxy)
	defer way.Close()

	r := place(t, s, source)
	sealed.Run(t, r.restore(t, id, "--endpoint-url", way.URL, "--verify-only")).Want(t, 1, "data.tar: damaged: the SHA-256 of what came is")
	sealed.Run(t, r.restore(t, id, "--endpoint-url", way.URL, "-J", "1")).Want(t, 1, "data.tar: damaged: the SHA-256 of what came is", "run the same command again")
	if corrupted.Load() == 0 {
		t.Error("nothing was corrupted")
	}
	if _, err := os.Stat(filepath.Join(r.data, "global", "pg_control")); !os.IsNotExist(err) {
		t.Errorf("it would start: %v", err)
	}
	sealed.Run(t, r.restore(t, id)).Want(t, 0, "going on with an unfinished restore")
	c := r.recovered(t, source, pgtest.RecoveryOptions{})
	if got := c.SQL("SELECT count(*) FROM story"); got != "1000" {
		t.Error(got)
	}
}

// flipped is a body of which one bit is another.
type flipped struct {
	io.ReadCloser
	at int
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.at >= 0 && f.at < n {
		p[f.at] ^= 1
	}
	f.at -= n
	return n, err
}
