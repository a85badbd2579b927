package clouds

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/functionshost"
	"github.com/pgseal/pgseal/e2e/localazure"
)

const (
	eventGrid      cloud.Way = "directly from Event Grid"
	gridCloudEvent cloud.Way = "as a CloudEvent of Event Grid"
	storageQueue   cloud.Way = "through a storage queue"
)

// finalize is the function that takes the queue's messages.
const finalize = "finalize"

// Azure is a local Blob Storage with the function app on the Functions host.
var Azure = Kind{
	Name: "Azure", Provider: "azure-blob-storage", Ways: []cloud.Way{eventGrid, gridCloudEvent, storageQueue}, Tries: 5, Memory: 512 << 20,
	Address: func(s cloud.Store) string { return host(s.(*localazure.Azure).Endpoint) },
	Wrong: func(s cloud.Store) []string {
		return []string{accountKey.ReplaceAllString(s.Env(cloud.Host)[0], "AccountKey=d3Jvbmc=")}
	},
	Stock: func(cloud.Store) []string { return []string{"--cloud-provider", "azure-blob-storage"} },
	start: func(t testing.TB, c cloud.Config) cloud.Store {
		return localazure.Start(t, localazure.Config{Prefix: c.Prefix, Server: c.Server, VaultRetention: c.VaultRetention})
	},
	deploy: func(t testing.TB, wrap Wrap, env []string) cloud.Function {
		dir := build.Azure(t)
		f, err := functionshost.New(functionshost.Config{Dir: dir, Env: append(functionshost.Settings(), env...), Program: wrapped(t, filepath.Join(dir, "handler"), wrap)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		return &functionApp{f}
	},
	connect: func(t testing.TB, s cloud.Store, fn cloud.Function, again time.Duration) Trigger {
		a := s.(*localazure.Azure)
		q, err := fn.(*functionApp).Queue(finalize, again)
		if err != nil {
			t.Fatal(err)
		}
		cancel := a.Created(a.Staging, a.Root()+"_pgseal/complete/", func(e cloud.Event) {
			q.Deliver(localazure.EventGridEvent(e.Record.(localazure.Record)))
		})
		t.Cleanup(func() { cancel(); q.Close() })
		return q
	},
}

// accountKey finds the key in a connection string.
var accountKey = regexp.MustCompile(`AccountKey=[^;]*`)

// functionApp is the function on Azure.
type functionApp struct{ *functionshost.Host }

// Deliver hands over each event by itself.
func (f *functionApp) Deliver(ctx context.Context, way cloud.Way, events ...cloud.Event) error {
	var failed []error
	for _, e := range events {
		r := e.Record.(localazure.Record)
		value := functionshost.Object(localazure.EventGridEvent(r))
		switch way {
		case gridCloudEvent:
			value = functionshost.Object(localazure.CloudEvent(r))
		case storageQueue:
			value = functionshost.Text(localazure.EventGridEvent(r))
		}
		_, err := f.Invoke(ctx, finalize, value)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// host is the host and port of a URL.
func host(endpoint string) string {
	address, _, _ := strings.Cut(strings.TrimPrefix(endpoint, "http://"), "/")
	return address
}
