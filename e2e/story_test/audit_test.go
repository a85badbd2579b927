package story_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// audit reads the request log at the end of a story, and looks at what is in
// the vault: nothing was written twice, nothing was deleted, and nobody did
// what is somebody else's.
func (c *scene) audit(t testing.TB) {
	t.Helper()
	c.auditRequests(t)
	c.auditVault(t)
	if open := c.openUploads(t); len(open) != 0 {
		t.Errorf("uploads are open: %q", open)
	}
}

// auditVault fails the test for every key with more than one version, and for
// every backup.info of a backup that is not done: stock barman restores those
// too.
func (c *scene) auditVault(t testing.TB) {
	t.Helper()
	seen := map[string]bool{}
	for _, key := range versions(t, c.vault, "") {
		if seen[key] || strings.HasSuffix(key, " (deleted)") {
			t.Errorf("%s is not the only version", key)
		}
		seen[key] = true
		if strings.HasSuffix(key, "/backup.info") {
			has(t, content(t, c.vault, key), "status=DONE\n")
		}
	}
}

func (c *scene) auditRequests(t testing.TB) {
	t.Helper()
	for _, r := range c.Requests() {
		seal := r.Bucket == c.VaultName() && strings.HasSuffix(r.Key, "/backup.info")
		verdict := r.Bucket == c.StagingName() && strings.HasPrefix(r.Key, c.Root()+"_pgseal/verdict/")
		writes := r.Op == cloud.Create || r.Op == cloud.Begin || r.Op == cloud.Part
		var wrong string
		switch {
		case r.Op == cloud.Delete:
			wrong = "a delete"
		case r.Op == cloud.Create && r.Bucket == c.VaultName() && !r.CreateOnly && r.Identity != cloud.Operator:
			wrong = "a write that could replace something"
		case writes && seal && r.Identity != cloud.Finalizer:
			wrong = "a seal by somebody else"
		case r.Op == cloud.Create && verdict && r.Identity != cloud.Finalizer:
			wrong = "a verdict by somebody else"
		case writes && r.Identity == cloud.Finalizer && !seal && !verdict:
			wrong = "more than a finalizer's business"
		case r.Status == http.StatusForbidden && (r.Identity == cloud.Host || r.Identity == cloud.Finalizer) && !refusedSecond(c.Kind, r):
			wrong = "asked for more than it is allowed"
		}
		if wrong != "" {
			t.Errorf("%s: %+v", wrong, r)
		}
	}
}

// refusedSecond: Azure denies a create to whoever may only add, when another finalizer has just made the seal.
func refusedSecond(k clouds.Kind, r cloud.Request) bool {
	return k.Name == clouds.Azure.Name && r.Identity == cloud.Finalizer && r.Op == cloud.Create && r.CreateOnly
}
