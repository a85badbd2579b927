// Package awspolicy holds the policies of the AWS module as Terraform renders them, and a table of requests with the
// answer that each must get. The policies are made by a plan without an account (aws/tests/policies.tftest.hcl) and kept
// current by a test of package terraform; the tests here and the local AWS of the end-to-end tests both use them, so that
// what is deployed and what is tested are the same words.
package awspolicy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

// Names with which policies.json was rendered.
const (
	Account = "111122223333"
	Vault   = "example-vault"
	Staging = "example-staging"
	Prefix  = "barman"
)

//go:embed policies.json
var rendered []byte

// Set is the policies of one way to call the module, by what they are for: the identities host, finalizer, restore,
// operator, expire and breakglass, the buckets vault and staging, queue and dead_letter.
type Set map[string]awsiam.Policy

// Rendered returns the policies of a run of policies.tftest.hcl ("minimal", "complete", ...).
func Rendered(run string) (Set, error) { return parse(rendered, run, nil) }

// Read is Rendered for policies that have just been rendered: the documents by what they are for.
func Read(documents map[string]string) (Set, error) {
	set := Set{}
	for name, document := range documents {
		policy, err := awsiam.Parse([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		set[name] = policy
	}
	return set, nil
}

// Place is where policies are to hold instead.
type Place struct {
	Vault, Staging string
	Prefix         string // may be empty
	Server         string // the server of the host; "*" lets it be any, and empty leaves it to the host's tag
}

// For returns the policies of a run, rewritten for other buckets. It does what Terraform does with other values of the
// variables, as a test of this package shows.
func For(run string, p Place) (Set, error) {
	root := ""
	if p.Prefix != "" {
		root = p.Prefix + "/"
	}
	pairs := []string{
		":::" + Vault + "/" + Prefix + "/", ":::" + p.Vault + "/" + root,
		":::" + Staging + "/" + Prefix + "/", ":::" + p.Staging + "/" + root,
		":::" + Vault + `/`, ":::" + p.Vault + "/", ":::" + Staging + `/`, ":::" + p.Staging + "/",
		":::" + Vault + `"`, ":::" + p.Vault + `"`, ":::" + Staging + `"`, ":::" + p.Staging + `"`,
	}
	if p.Server != "" {
		pairs = append(pairs, "${aws:PrincipalTag/pgseal-server}", p.Server)
	}
	return parse(rendered, run, strings.NewReplacer(pairs...))
}

// parse reads one run of the rendered policies.
func parse(data []byte, run string, change *strings.Replacer) (Set, error) {
	var runs map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &runs); err != nil {
		return nil, fmt.Errorf("policies.json: %w", err)
	}
	documents, ok := runs[run]
	if !ok {
		return nil, fmt.Errorf("policies.json: no run %q", run)
	}
	set := Set{}
	for name, document := range documents {
		if change != nil {
			document = json.RawMessage(change.Replace(string(document)))
		}
		policy, err := awsiam.Parse(document)
		if err != nil {
			return nil, fmt.Errorf("policies.json: %s of %s: %w", name, run, err)
		}
		set[name] = policy
	}
	return set, nil
}

// Decide answers a request by the policies of the identity ("" for somebody of whom the module does not know) and of the
// bucket or queue.
func (s Set) Decide(identity, resource string, r awsiam.Request) awsiam.Decision {
	var own []awsiam.Policy
	if policy, ok := s[identity]; ok {
		own = append(own, policy)
	}
	return awsiam.Decide(own, s[resource], r)
}
