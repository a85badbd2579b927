package localaws

import (
	"fmt"
	"slices"

	"github.com/pgseal/pgseal/terraform/awsiam"
	"github.com/pgseal/pgseal/terraform/awspolicy"
)

// defaultRules is who may do what on the two buckets: the policies of the Terraform module, as Terraform renders them.
// place.Server may be "*". mayLock lets hosts choose the locks of what they create (pgseal backup --retention), which is
// an option of the module; there is no limit to the length of a lock here, because tests choose short ones.
func defaultRules(place awspolicy.Place, mayLock bool) ([]Statement, error) {
	run := "e2e"
	if mayLock {
		run = "e2e_retention"
	}
	set, err := awspolicy.For(run, place)
	if err != nil {
		return nil, err
	}
	// Tests break things wherever they like, and ask for buckets that are not there.
	rules := []Statement{{Sid: "BreakglassDoesAnything", Effect: Allow, Principal: []string{breakglassName}, Actions: []string{"s3:*"}, Resources: []string{"*"}}}
	for _, name := range identityNames {
		if _, ok := set[name]; !ok {
			return nil, fmt.Errorf("the module renders no policy for %s", name)
		}
		for _, s := range set[name].Statement {
			rules = append(rules, statementOf(s, name))
		}
	}
	for name, bucket := range map[string]string{"vault": place.Vault, "staging": place.Staging} {
		statements, err := bucketRules(bucket, set[name])
		if err != nil {
			return nil, err
		}
		rules = append(rules, statements...)
	}
	return rules, nil
}

// bucketRules are the statements of a bucket's policy. All identities here are of the bucket's account, and the rules
// have one list of statements for identities and buckets alike; a policy that allows something is refused, because an
// Allow to other accounts would be taken for one to these.
func bucketRules(bucket string, policy awsiam.Policy) ([]Statement, error) {
	var rules []Statement
	for _, s := range policy.Statement {
		if s.Effect != awsiam.Deny || !s.Principal.Everybody {
			return nil, fmt.Errorf("the policy of bucket %s: statement %q: only denies for everybody are understood here", bucket, s.Sid)
		}
		rule := statementOf(s)
		rule.bucket = bucket
		rules = append(rules, rule)
	}
	return rules, nil
}

// statementOf is a policy's statement as a rule for the named identities, or for everybody.
func statementOf(s awsiam.Statement, names ...string) Statement {
	conditions := map[string]map[string][]string{}
	for operator, keys := range s.Condition {
		conditions[operator] = map[string][]string{}
		for key, values := range keys {
			conditions[operator][key] = values
		}
	}
	return Statement{
		Sid: s.Sid, Effect: s.Effect, Principal: slices.Clone(names),
		Actions: s.Action, Resources: s.Resource, NotResources: s.NotResource, Conditions: conditions,
	}
}
