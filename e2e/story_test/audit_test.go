package story_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
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
	for _, key := range c.versions(t, c.Vault, "") {
		if seen[key] || strings.HasSuffix(key, " (deleted)") {
			t.Errorf("%s is not the only version", key)
		}
		seen[key] = true
		if strings.HasSuffix(key, "/backup.info") {
			has(t, c.content(t, c.Vault, key), "status=DONE\n")
		}
	}
}

func (c *scene) auditRequests(t testing.TB) {
	t.Helper()
	host, finalizer, operator := c.Host.Name, c.Finalizer.Name, c.Operator.Name
	for _, r := range c.Requests() {
		seal := r.Bucket == c.Vault && strings.HasSuffix(r.Key, "/backup.info")
		verdict := r.Bucket == c.Staging && strings.HasPrefix(r.Key, c.Prefix+"/_pgseal/verdict/")
		uploads := r.Operation == "CreateMultipartUpload" || r.Operation == "UploadPart"
		var wrong string
		switch {
		case localaws.Deletes(r):
			wrong = "a delete"
		case r.Op == cloud.Create && r.Bucket == c.Vault && r.IfNoneMatch != "*" && r.Identity != operator:
			wrong = "a write that could replace something"
		case (r.Op == cloud.Create || uploads) && seal && r.Identity != finalizer:
			wrong = "a seal by somebody else"
		case r.Op == cloud.Create && verdict && r.Identity != finalizer:
			wrong = "a verdict by somebody else"
		case (r.Op == cloud.Create || uploads) && r.Identity == finalizer && !seal && !verdict:
			wrong = "more than a finalizer's business"
		case r.Status == http.StatusForbidden && (r.Identity == host || r.Identity == finalizer):
			wrong = "asked for more than it is allowed"
		}
		if wrong != "" {
			t.Errorf("%s: %+v", wrong, r)
		}
	}
}
