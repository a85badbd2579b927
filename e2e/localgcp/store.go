package localgcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/e2e/cloud"
)

var _ cloud.Store = (*GCP)(nil)

// Name is "gcp".
func (g *GCP) Name() string { return "gcp" }

// VaultURL is the vault as pgseal and barman name it: gs://vault/prefix.
func (g *GCP) VaultURL() string { return strings.TrimSuffix("gs://"+g.Vault+"/"+g.Prefix, "/") }

// StagingURL is staging as pgseal names it.
func (g *GCP) StagingURL() string { return strings.TrimSuffix("gs://"+g.Staging+"/"+g.Prefix, "/") }

// VaultName is the name of the locked bucket.
func (g *GCP) VaultName() string { return g.Vault }

// StagingName is the name of the bucket without a lock.
func (g *GCP) StagingName() string { return g.Staging }

// Root is the prefix with its slash.
func (g *GCP) Root() string { return strings.TrimPrefix(g.Prefix+"/", "/") }

// Markers is the prefix of the notification by which production wakes the finalizer.
func (g *GCP) Markers() string { return g.Root() + "_pgseal/complete/" }

// Keeps: an overwrite is refused, unless the vault has versions.
func (g *GCP) Keeps() buckettest.Keeps {
	if g.config.VaultVersions {
		return buckettest.KeepsVersion
	}
	return buckettest.KeepsName
}

// Env is the environment with which pgseal and the function act as somebody here: a key of the service account, and the
// API's address as gcloud has it. STORAGE_EMULATOR_HOST would not do, as Google's libraries show no credentials there.
func (g *GCP) Env(who string) []string {
	return []string{
		"GOOGLE_APPLICATION_CREDENTIALS=" + g.KeyFile(who),
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE=" + g.Endpoint + "/storage/v1/",
	}
}

// Open opens a place as somebody.
func (g *GCP) Open(ctx context.Context, who, url string) (bucket.Bucket, error) {
	return gcsbucket.Open(ctx, gcsbucket.Options{URL: url, Endpoint: g.Endpoint, KeyFile: g.KeyFile(who)})
}

// permissions are the rights by their names. An object's content, its description, and the retention in it are one
// right, as are objects and generations in listings.
var permissions = map[cloud.Right]string{
	cloud.ToRead: "storage.objects.get", cloud.ToReadVersions: "storage.objects.get", cloud.ToSeeRetention: "storage.objects.get",
	cloud.ToList: "storage.objects.list", cloud.ToListVersions: "storage.objects.list", cloud.ToCreate: "storage.objects.create",
}

// Deny adds a deny policy. Listing is denied as a whole.
func (g *GCP) Deny(who string, right cloud.Right, bucket, pattern string) (restore func(), err error) {
	b := Binding{Name: "deny " + rand.Text(), Members: []string{who}, Permissions: []string{permissions[right]}, Bucket: bucket, Objects: []string{pattern}, Deny: true}
	if b.Permissions[0] == "" {
		return nil, fmt.Errorf("localgcp: no permission for %q", right)
	}
	g.Rules.Add(b)
	return func() { g.Rules.Remove(b.Name) }, nil
}

// Overwrite replaces an object behind everybody's back; with versions it becomes noncurrent.
func (g *GCP) Overwrite(_ context.Context, bucketName, key string, body []byte) error {
	in, err := g.newIncoming(bucketName)
	if err != nil {
		return err
	}
	defer in.drop()
	if _, err := in.add(bytes.NewReader(body)); err != nil {
		return err
	}
	g.unlock(bucketName, key)
	x := &exchange{who: cloud.Breakglass, bucket: bucketName, key: key, query: url.Values{}}
	if _, f := g.finalize(x, &description{Name: key, ContentType: "application/octet-stream"}, in, x.query); f != nil {
		return fmt.Errorf("overwrite %s/%s: %s", bucketName, key, f.message)
	}
	return nil
}

// Remove deletes a generation, or the current one, whatever lock is on it. GCS has no delete markers.
func (g *GCP) Remove(_ context.Context, bucketName, key, version string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := &exchange{bucket: bucketName, key: key, query: url.Values{}}
	if version != "" {
		x.query.Set("generation", version)
	}
	b, o, f := g.find(x)
	switch {
	case f != nil:
		return "", fmt.Errorf("remove %s/%s: %s", bucketName, key, f.message)
	case o == nil:
		return "", fmt.Errorf("remove %s/%s: it is not there", bucketName, key)
	case version == "":
		g.retire(b, o)
	default:
		g.destroy(b, o)
	}
	return "", nil
}

// unlock lets Overwrite pass: it takes the object's lock away, for the instant until it is gone.
func (g *GCP) unlock(bucketName, key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[bucketName]
	if b == nil || b.Versioning {
		return
	}
	if o := b.live[key]; o != nil {
		o.Retention, o.TemporaryHold, o.EventBasedHold = nil, false, false
		o.Created = o.Created.AddDate(-200, 0, 0)
	}
}

// OpenUploads lists the keys of upload sessions that are neither finished nor cancelled. GCS itself cannot list them.
func (g *GCP) OpenUploads(context.Context) (keys []string, err error) {
	g.mu.Lock()
	all := make([]*session, 0, len(g.sessions))
	for _, s := range g.sessions {
		all = append(all, s)
	}
	g.mu.Unlock()
	for _, s := range all {
		if s.open() {
			keys = append(keys, s.about.Name)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// Faulty is Faults.
func (g *GCP) Faulty() *cloud.Faults { return g.Faults }

// Created is Subscribe; the events' records are of type Finalized.
func (g *GCP) Created(bucket, prefix string, deliver func(cloud.Event)) (cancel func()) {
	return g.Subscribe(bucket, prefix, func(f Finalized) { deliver(cloud.Event{Bucket: f.Bucket, Key: f.Name, Record: f}) })
}
