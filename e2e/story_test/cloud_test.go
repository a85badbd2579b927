package story_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// scene is a local cloud in which markers wake the built function through a
// queue, as in production.
type scene struct {
	*clouds.Cloud
	place
	function       cloud.Function
	vault, staging bucket.Bucket // as somebody who may do anything sees them
	reader         bucket.Bucket // the vault, as whoever restores sees it
}

// again is after how long the queue delivers what failed once more.
const again = 2 * time.Second

func startCloud(t testing.TB, k clouds.Kind) *scene {
	t.Helper()
	return sceneIn(t, k.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 7 * 24 * time.Hour}))
}

// sceneIn is the scene in a cloud whose vault locks for seven days.
func sceneIn(t testing.TB, c *clouds.Cloud) *scene {
	t.Helper()
	s := &scene{Cloud: c, place: place{c.VaultURL(), c.StagingURL(), c.Env(cloud.Host)}}
	open := func(who, url string) bucket.Bucket {
		b, err := c.Open(t.Context(), who, url)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s.vault, s.staging, s.reader = open(cloud.Breakglass, c.VaultURL()), open(cloud.Breakglass, c.StagingURL()), open(cloud.Restore, c.VaultURL())
	s.function = c.Deploy(t, "PGSEAL_MIN_RETENTION=6d")
	c.Connect(t, s.function, again)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the function's log:\n%s", s.function.Logs())
		}
	})
	return s
}

// key is the key in the bucket of what has this key below the prefix.
func (c *scene) key(below string) string { return c.Root() + below }

// versions lists everything below a key's beginning as "key" for each version
// and "key (deleted)" for each delete marker, in the order of the keys.
func versions(t testing.TB, b bucket.Bucket, below string) (all []string) {
	t.Helper()
	for obj, err := range b.ListVersions(t.Context(), below) {
		switch {
		case err != nil:
			t.Fatal(err)
		case obj.DeleteMarker:
			all = append(all, obj.Key+" (deleted)")
		default:
			all = append(all, obj.Key)
		}
	}
	slices.Sort(all)
	return all
}

// open reads an object of the vault as somebody who restores does.
func (c *scene) open(t testing.TB, key string) io.ReadCloser {
	t.Helper()
	body, _, err := c.reader.Open(t.Context(), key, "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func content(t testing.TB, b bucket.Bucket, key string) string {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), b, key, "", 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// archives are the keys of a backup's archives of one base, PGDATA's or a
// tablespace's, in the order in which a stock restore reads them.
func (c *scene) archives(t testing.TB, id, base string) (keys []string) {
	t.Helper()
	for _, key := range versions(t, c.vault, layout.BackupDir(server, id)+base) {
		if rest := strings.TrimPrefix(key, layout.BackupDir(server, id)+base); rest[0] == '.' || rest[0] == '_' {
			keys = append(keys, key)
		}
	}
	return keys
}

// openUploads are the keys of uploads that nobody has ended.
func (c *scene) openUploads(t testing.TB) []string {
	t.Helper()
	keys, err := c.OpenUploads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// checkSeal fails the test unless the vault has exactly one version of the
// backup's backup.info, which says DONE.
func (c *scene) checkSeal(t testing.TB, id string, words ...string) {
	t.Helper()
	key := layout.BackupInfo(server, id)
	if all := versions(t, c.vault, key); len(all) != 1 || all[0] != key {
		t.Fatalf("versions of the seal: %q", all)
	}
	has(t, content(t, c.reader, key), append(words, "status=DONE\n", "server_name=cloud\n")...)
	has(t, content(t, c.staging, layout.Verdict(server, id)), `"verdict": "sealed"`, `"retain_until": "`)
}
