package localazure

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/e2e/cloud"
)

var _ cloud.Store = (*Azure)(nil)

// Name is "azure".
func (a *Azure) Name() string { return "azure" }

// VaultURL is the vault as pgseal and barman name it: http://host:port/account/vault/prefix.
func (a *Azure) VaultURL() string { return a.url(a.Vault) }

// StagingURL is staging, likewise.
func (a *Azure) StagingURL() string { return a.url(a.Staging) }

func (a *Azure) url(name string) string {
	return strings.TrimSuffix(a.Endpoint+"/"+name+"/"+a.Prefix, "/")
}

// VaultName is the name of the locked container.
func (a *Azure) VaultName() string { return a.Vault }

// StagingName is the name of the container without a lock.
func (a *Azure) StagingName() string { return a.Staging }

// Root is the prefix with its slash.
func (a *Azure) Root() string { return strings.TrimPrefix(a.Prefix+"/", "/") }

// Keeps: an overwrite is refused.
func (a *Azure) Keeps() buckettest.Keeps { return buckettest.KeepsName }

// Env is Identity.Env of the identity of that name, and what the operator states of the vault's policy.
func (a *Azure) Env(who string) []string {
	env := a.identity(who).Env()
	if a.retention > 0 {
		env = append(env, azurebucket.EnvRetention+"="+a.retention.String())
	}
	return env
}

// Open opens a place as somebody.
func (a *Azure) Open(ctx context.Context, who, url string) (bucket.Bucket, error) {
	return azurebucket.Open(ctx, azurebucket.Options{URL: url, ConnectionString: a.identity(who).ConnectionString(), Retention: a.retention})
}

// actions are the rights by the names of Azure's data actions. A listing takes the same right with versions as without,
// and so does reading.
var actions = map[cloud.Right]string{
	cloud.ToRead: "blobs/read", cloud.ToReadVersions: "blobs/read", cloud.ToList: "blobs/list", cloud.ToListVersions: "blobs/list",
	cloud.ToCreate: "blobs/write", cloud.ToSeeRetention: "read",
}

// Deny adds a rule. It also holds for what the right means of the container as a whole.
func (a *Azure) Deny(who string, right cloud.Right, name, pattern string) (restore func(), err error) {
	denied := []string{actions[right]}
	if right == cloud.ToCreate {
		denied = append(denied, "blobs/add/action")
	}
	return a.Rules.Add(Rule{Name: "Deny", Who: []string{who}, Deny: true, Actions: denied, Container: name, Paths: []string{pattern}}), nil
}

// Overwrite writes over a blob past the container's lock. Azure keeps the creation time of a blob that is overwritten.
func (a *Azure) Overwrite(ctx context.Context, name, key string, body []byte) error {
	_, err := a.behind(name).NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), nil)
	if err == nil {
		a.locks.made(name, key, a.Clock.Now())
	}
	return err
}

// Remove deletes a blob past the container's lock. There are no versions, and no delete markers.
func (a *Azure) Remove(ctx context.Context, name, key, version string) (string, error) {
	if version != "" {
		return "", fmt.Errorf("%s has no versions", name)
	}
	_, err := a.behind(name).NewBlobClient(key).Delete(ctx, nil)
	if err == nil || bloberror.HasCode(err, bloberror.BlobNotFound) {
		a.locks.gone(name, key)
	}
	return "", err
}

// OpenUploads is always empty: Azure has no uploads to be ended. Blocks that nobody commits are no objects, cannot be
// deleted, and are dropped after a week; Uncommitted lists them.
func (a *Azure) OpenUploads(context.Context) ([]string, error) { return nil, nil }

// Uncommitted lists the blobs of a container that consist of uncommitted blocks only.
func (a *Azure) Uncommitted(ctx context.Context, name string) (keys []string, err error) {
	pages := a.behind(name).NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{UncommittedBlobs: true}})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Segment.BlobItems {
			if !a.locks.stands(name, *item.Name) {
				keys = append(keys, *item.Name)
			}
		}
	}
	return keys, nil
}

// Faulty is Faults.
func (a *Azure) Faulty() *cloud.Faults { return a.Faults }

// Requests are those of the log.
func (a *Azure) Requests(filters ...func(cloud.Request) bool) []cloud.Request {
	return a.log.Requests(filters...)
}

// ForgetRequests empties the log.
func (a *Azure) ForgetRequests() { a.log.ForgetRequests() }

// Created subscribes to Microsoft.Storage.BlobCreated with a filter on the beginning of the subject; the events' records
// are of type Record.
func (a *Azure) Created(name, prefix string, deliver func(cloud.Event)) (cancel func()) {
	return a.events.subscribe(name, prefix, func(r Record) {
		deliver(cloud.Event{Bucket: name, Key: r.blob, Record: r})
	})
}
