package localaws

import (
	"testing"

	"github.com/pgseal/pgseal/terraform/awspolicy"
)

// TestTheRulesAreTerraforms: the rules answer the table of requests, with which the Terraform module's policies are
// tested, as those do.
func TestTheRulesAreTerraforms(t *testing.T) {
	place := awspolicy.Place{Vault: "v", Staging: "s", Prefix: "p", Server: "main"}
	asked := 0
	for run, mayLock := range map[string]bool{"e2e": false, "e2e_retention": true} {
		statements, err := defaultRules(place, mayLock)
		if err != nil {
			t.Fatal(err)
		}
		rules := &Rules{}
		if err := rules.Add(statements...); err != nil {
			t.Fatal(err)
		}
		for _, r := range awspolicy.Requests {
			if r.Run != run || r.Who == "expire" {
				continue
			}
			asked++
			q := r.IAM(place)
			no := rules.decide(Identity{Name: r.Who}, question{action: q.Action, resource: q.Resource, context: q.Context})
			if (no == nil) != r.Want {
				t.Errorf("%s: %+v", r.Name, no)
			}
		}
	}
	if asked < 80 {
		t.Errorf("only %d requests", asked)
	}
}

func TestStatementsThatWouldBeIgnoredAreRefused(t *testing.T) {
	for name, s := range map[string]Statement{
		"an unknown operator": {Effect: Deny, Actions: []string{"s3:*"}, Resources: []string{"*"},
			Conditions: map[string]map[string][]string{"StringAlmost": {"s3:prefix": {"x"}}}},
		"no effect":   {Actions: []string{"s3:*"}, Resources: []string{"*"}},
		"no resource": {Effect: Allow, Actions: []string{"s3:*"}},
	} {
		if err := (&Rules{}).Add(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
