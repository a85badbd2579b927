package catalog_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

// counter notes what is asked of a store.
type counter struct {
	bucket.Bucket
	mu    sync.Mutex
	calls []string
}

func (c *counter) note(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

func (c *counter) below(prefix string) (n int) {
	for _, call := range c.calls {
		if _, key, _ := strings.Cut(call, " "); strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

func (c *counter) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	c.note("GET " + key)
	return c.Bucket.Open(ctx, key, version, offset, length)
}

func (c *counter) Stat(ctx context.Context, key, version string) (bucket.Object, error) {
	c.note("HEAD " + key)
	return c.Bucket.Stat(ctx, key, version)
}

func (c *counter) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	c.note("LIST " + prefix)
	return c.Bucket.List(ctx, prefix)
}

func (c *counter) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	c.note("DIRS " + prefix)
	return c.Bucket.Dirs(ctx, prefix)
}

func TestASealedBackupCostsTwoRequests(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for _, at := range []string{"20T03:01", "20T04:01", "20T05:01"} {
		w.at(at)
		ids = append(ids, w.seal(finalizer.Config{}).ID())
	}
	vault, staging := &counter{Bucket: w.vault}, &counter{Bucket: w.staging}
	w.vault, w.staging = vault, staging
	w.read()
	for _, id := range ids {
		if n, m := vault.below(server+"/base/"+id), staging.below("_pgseal/verdict/"+server+"/"+id); n != 1 || m != 1 {
			t.Errorf("%s: %d requests to the vault and %d to staging", id, n, m)
		}
	}
	if len(vault.calls) != 3+1+2 || len(staging.calls) != 3+6 {
		t.Errorf("vault %q\nstaging %q", vault.calls, staging.calls)
	}
}

// broken fails for one key.
type broken struct {
	bucket.Bucket
	key  string
	kind error
}

func (b broken) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if key == b.key {
		return nil, bucket.Object{}, &bucket.Error{Op: "read", Key: key, Code: "503 \x1b[1mSlowDown", Kind: b.kind}
	}
	return b.Bucket.Open(ctx, key, version, offset, length)
}

func TestOneRecordThatTheStoreRefusesSpoilsOnlyItsOwnLine(t *testing.T) {
	for _, kind := range []error{bucket.ErrDenied, bucket.ErrThrottled, bucket.ErrUnavailable} {
		w := newWorld(t)
		first := w.seal(finalizer.Config{})
		w.at("21T03:01")
		second := w.seal(finalizer.Config{})
		w.vault = broken{w.vault, first.Key("backup.info"), kind}
		c := w.read()
		b := of(t, c, first.ID())
		if b.State != "unreadable" || !strings.Contains(b.Reasons[0].Text, "SlowDown") || strings.Contains(b.Reasons[0].Text, "\x1b") {
			t.Errorf("%+v", b)
		}
		if of(t, c, second.ID()).State != "sealed" {
			t.Error("the other one is not sealed")
		}
	}
}

// gone cannot be listed.
type gone struct{ bucket.Bucket }

func (g gone) Dirs(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		yield("", &bucket.Error{Op: "list", Code: "404 NoSuchBucket", Kind: bucket.ErrNotFound})
	}
}

func TestAPlaceThatCannotBeListedIsAnError(t *testing.T) {
	w := newWorld(t)
	r := w.reader()
	r.Vault = gone{w.vault}
	if _, err := r.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "vault") {
		t.Error(err)
	}
	r = w.reader()
	r.Staging = gone{w.staging}
	if _, err := r.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "staging") {
		t.Error(err)
	}
	r = w.reader()
	r.Server = "../other"
	if _, err := r.Read(t.Context()); err == nil {
		t.Error("a server's name that is none was read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.reader().Read(ctx); err == nil {
		t.Error("a cancelled read gave an answer")
	}
}
