package localgcp

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/terraform/gcppolicy"
)

// TestTheRulesAreTerraforms: the rules keep the promises to which the Terraform module's policies are held.
func TestTheRulesAreTerraforms(t *testing.T) {
	for name, c := range map[string]Config{
		"one server":                {Server: "main"},
		"a host that chooses locks": {Server: "main", HostMaySetRetention: true},
	} {
		c.Vault, c.Staging, c.Prefix = "v", "s", "pg"
		rules, err := newRules(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range gcppolicy.Promises {
			if p.Who == cloud.Breakglass || c.HostMaySetRetention && p.Permission == "storage.objects.setRetention" {
				continue // may do anything in tests; and that is what was asked for
			}
			bucket := map[string]string{"vault": "v", "staging": "s"}[p.Bucket]
			if got := rules.allow(p.Who, p.Permission, bucket, p.Object); got != p.Allowed {
				t.Errorf("%s: %s is allowed: %v", name, p.Name, got)
			}
		}
	}
}
