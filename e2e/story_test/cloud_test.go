package story_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

// scene is a local AWS in which markers wake the built function through a
// queue, as in production.
type scene struct {
	*localaws.AWS
	place
	function *runtimeapi.Function
	queue    *localaws.Queue
}

// visibility is after how long the queue delivers again what failed.
const visibility = 2 * time.Second

func startCloud(t testing.TB) *scene {
	t.Helper()
	aws := localaws.Start(t, localaws.Config{Prefix: "barman", Server: server, VaultRetention: 7 * 24 * time.Hour})
	c := &scene{AWS: aws, place: place{aws.VaultURL(), aws.StagingURL(), aws.Host.Env()}}
	c.function = runtimeapi.Start(t, build.Bootstrap(t), append(aws.Finalizer.Env(),
		"PGSEAL_VAULT_URL="+aws.VaultURL(), "PGSEAL_STAGING_URL="+aws.StagingURL(), "PGSEAL_MIN_RETENTION=6d")...)
	c.queue = aws.Queue(aws.Markers(), localaws.QueueConfig{VisibilityTimeout: visibility, MaxReceives: 100})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.queue.Drive(ctx, 1, c.function.Invoke)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("the function's log:\n%s", c.function.Logs())
		}
	})
	return c
}

// key is the key in the bucket of what has this key below the prefix.
func (c *scene) key(below string) string { return c.Prefix + "/" + below }

// versions lists everything below a key's beginning as "key" for each version
// and "key (deleted)" for each delete marker, in the order of the keys.
func (c *scene) versions(t testing.TB, bucket, below string) (all []string) {
	t.Helper()
	prefix := c.key(below)
	pages := s3.NewListObjectVersionsPaginator(c.Client(c.Breakglass), &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			all = append(all, strings.TrimPrefix(*v.Key, c.Prefix+"/"))
		}
		for _, d := range page.DeleteMarkers {
			all = append(all, strings.TrimPrefix(*d.Key, c.Prefix+"/")+" (deleted)")
		}
	}
	slices.Sort(all)
	return all
}

// open reads an object as somebody who restores does.
func (c *scene) open(t testing.TB, bucket, below string) io.ReadCloser {
	t.Helper()
	key := c.key(below)
	out, err := c.Client(c.Restore).GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("%s/%s: %v", bucket, key, err)
	}
	return out.Body
}

func (c *scene) content(t testing.TB, bucket, below string) string {
	t.Helper()
	body := c.open(t, bucket, below)
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// archives are the keys of a backup's archives of one base, PGDATA's or a
// tablespace's, in the order in which a stock restore reads them.
func (c *scene) archives(t testing.TB, id, base string) (keys []string) {
	t.Helper()
	for _, key := range c.versions(t, c.Vault, layout.BackupDir(server, id)+base) {
		if rest := strings.TrimPrefix(key, layout.BackupDir(server, id)+base); rest[0] == '.' || rest[0] == '_' {
			keys = append(keys, key)
		}
	}
	return keys
}

// openUploads are the keys of multipart uploads that nobody has ended.
func (c *scene) openUploads(t testing.TB) (keys []string) {
	t.Helper()
	for _, bucket := range []string{c.Vault, c.Staging} {
		out, err := c.Client(c.Breakglass).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range out.Uploads {
			keys = append(keys, *u.Key)
		}
	}
	return keys
}

// checkSeal fails the test unless the vault has exactly one version of the
// backup's backup.info, which says DONE.
func (c *scene) checkSeal(t testing.TB, id string, words ...string) {
	t.Helper()
	key := layout.BackupInfo(server, id)
	if all := c.versions(t, c.Vault, key); len(all) != 1 || all[0] != key {
		t.Fatalf("versions of the seal: %q", all)
	}
	has(t, c.content(t, c.Vault, key), append(words, "status=DONE\n", "server_name=cloud\n")...)
	has(t, c.content(t, c.Staging, layout.Verdict(server, id)), `"verdict": "sealed"`, `"retain_until": "`)
}
