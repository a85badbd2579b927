package localazure

import (
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/terraform/azurepolicy"
)

// TestTheRulesAreTerraforms: the rules keep the promises to which the Terraform module's role assignments are held.
func TestTheRulesAreTerraforms(t *testing.T) {
	rules, err := newRules("v", "s", "pg", "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range azurepolicy.Promises {
		action := strings.TrimPrefix(p.Request.Action, "Microsoft.Storage/storageAccounts/blobServices/containers/")
		switch {
		case p.Who == cloud.Breakglass, p.Who == cloud.Host && action == "blobs/tags/write":
			continue // may do anything in tests; and hosts may tag there
		case p.Request.SubOperation == "Blob.List":
			action = "blobs/list"
		case p.Request.SubOperation == "Blob.Write.Tier":
			action = "blobs/tier"
		}
		container := map[string]string{"vault": "v", "staging": "s"}[p.Container]
		if got := rules.allow(p.Who, action, container, p.Request.Path, p.Request.Prefix); got != p.Allowed {
			t.Errorf("%s: is allowed: %v", p.Name, got)
		}
	}
}
