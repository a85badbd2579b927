package clouds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/functionsframework"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

const (
	storageItself   cloud.Way = "directly from Cloud Storage"
	structuredEvent cloud.Way = "as a structured CloudEvent"
	pubSub          cloud.Way = "through Pub/Sub"
)

// GCP is a local Cloud Storage with the function on Cloud Run. Debian has no Google library for its barman.
var GCP = Kind{
	Name: "Google Cloud", Provider: "google-cloud-storage", Ways: []cloud.Way{storageItself, structuredEvent, pubSub}, Tries: 5, Memory: 512 << 20, ObjectLocks: true,
	Wrong: func(s cloud.Store) []string {
		return []string{"GOOGLE_APPLICATION_CREDENTIALS=" + s.(*localgcp.GCP).KeyFile(stranger)}
	},
	Address: func(s cloud.Store) string { return host(s.(*localgcp.GCP).Endpoint) },
	start: func(t testing.TB, c cloud.Config) cloud.Store {
		g := localgcp.Start(t, localgcp.Config{Prefix: c.Prefix, Server: c.Server, VaultRetention: c.VaultRetention, HostMaySetRetention: c.HostMaySetRetention})
		if err := shareKeys(g); err != nil {
			t.Fatal(err)
		}
		return g
	},
	deploy: func(t testing.TB, wrap Wrap, env []string) cloud.Function {
		return &cloudRun{functionsframework.Start(t, wrapped(t, build.GCP(t), wrap), env...)}
	},
	connect: func(t testing.TB, s cloud.Store, fn cloud.Function, again time.Duration) Trigger {
		g := s.(*localgcp.GCP)
		subscription := fn.(*cloudRun).Subscribe(functionsframework.SubscriptionConfig{Backoff: again, MaxAttempts: 100})
		cancel := g.Subscribe(g.Staging, g.Markers(), func(f localgcp.Finalized) {
			subscription.Publish(functionsframework.Notification(f.Bucket, f.Name, f.Resource))
		})
		t.Cleanup(func() { cancel(); subscription.Close() })
		return subscription
	},
}

// stranger is somebody whom Google does not know.
const stranger = "stranger"

// shareKeys lets the servers' user read the key files, and makes one for a stranger.
func shareKeys(g *localgcp.GCP) error {
	host := g.KeyFile(cloud.Host)
	key, err := os.ReadFile(host)
	if err == nil {
		err = os.WriteFile(g.KeyFile(stranger), bytes.ReplaceAll(key, []byte(cloud.Host+"@"), []byte(stranger+"@")), 0o644)
	}
	for _, dir := range []string{g.Dir, filepath.Dir(host)} {
		err = errors.Join(err, os.Chmod(dir, 0o755))
	}
	for _, who := range []string{cloud.Host, cloud.Finalizer, cloud.Restore, cloud.Operator, cloud.Breakglass} {
		err = errors.Join(err, os.Chmod(g.KeyFile(who), 0o644))
	}
	return err
}

// wrapped is the program, or a script in its place.
func wrapped(t testing.TB, program string, wrap Wrap) string {
	t.Helper()
	if wrap == nil {
		return program
	}
	script := filepath.Join(t.TempDir(), filepath.Base(program))
	if err := os.WriteFile(script, []byte(wrap(program)), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

// cloudRun is the function on Google Cloud.
type cloudRun struct{ *functionsframework.Function }

// Deliver sends each event by itself.
func (c *cloudRun) Deliver(ctx context.Context, way cloud.Way, events ...cloud.Event) error {
	var failed []error
	for _, e := range events {
		f := e.Record.(localgcp.Finalized)
		event := functionsframework.Finalized(f.Bucket, f.Name, f.Resource)
		if way == pubSub {
			event = functionsframework.Notification(f.Bucket, f.Name, f.Resource).Event()
		}
		request := event.Binary()
		if way == structuredEvent {
			request = event.Structured()
		}
		if answer := c.Call(ctx, request); answer.Status/100 != 2 {
			failed = append(failed, fmt.Errorf("answered %d: %s", answer.Status, answer.Body))
		}
	}
	return errors.Join(failed...)
}
