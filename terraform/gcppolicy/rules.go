// Package gcppolicy holds the IAM policies of the GCP module as Terraform renders them, and what they promise. They are made
// by a plan without an account (gcp/tests/policies.tftest.hcl) and kept current by a test of package terraform; the tests here
// and the local Google Cloud of the end-to-end tests both use them, so that what is deployed and what is tested are the same
// words.
package gcppolicy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pgseal/pgseal/terraform/gcpiam"
)

//go:embed policies.json
var rendered []byte

// The names with which policies.json was rendered; For replaces them.
const (
	Vault   = "example-vault"
	Staging = "example-staging"
	Prefix  = "barman"
	Server  = "examplehost"
)

// Rules are the policies of both buckets, the roles in them, and who is who.
type Rules struct {
	Members map[string]string        `json:"members"` // "host", "finalizer", "restore", "operator", "expire", "breakglass"
	Roles   map[string][]string      `json:"roles"`   // permissions of the custom roles
	Buckets map[string]gcpiam.Policy `json:"buckets"` // by the bucket's name
}

// The runs of policies.tftest.hcl that policies.json has.
const (
	Complete  = "complete"  // everybody is there
	Retention = "retention" // and hosts choose their locks
	Extending = "extending" // and the finalizer extends them
)

// For is what terraform/gcp renders in a run for these buckets, this prefix (with or without a slash at its end; "" is none) and one
// server. The server "" stands for all of them, which no policy does: tests with many servers and one host want it.
func For(run, vault, staging, prefix, server string) (Rules, error) {
	return parse(rendered, run, vault, staging, prefix, server)
}

func parse(document []byte, run, vault, staging, prefix, server string) (Rules, error) {
	root := strings.Trim(prefix, "/")
	if root != "" {
		root += "/"
	}
	text := string(document)
	if server == "" {
		text = ownServer.ReplaceAllStringFunc(text, everyServer)
		server = "all"
	}
	text = strings.NewReplacer("/"+Vault+"/objects/"+Prefix+"/", "/"+vault+"/objects/"+root, "/"+Staging+"/objects/"+Prefix+"/", "/"+staging+"/objects/"+root,
		`"`+Vault+`"`, `"`+vault+`"`, `"`+Staging+`"`, `"`+staging+`"`, Server, server).Replace(text)
	var runs map[string]Rules
	if err := json.Unmarshal([]byte(text), &runs); err != nil {
		return Rules{}, fmt.Errorf("the rendered policies: %w", err)
	}
	r, ok := runs[run]
	if !ok {
		return Rules{}, fmt.Errorf("the rendered policies have no run %q", run)
	}
	for name, p := range r.Buckets {
		if err := p.Check(r.Roles); err != nil {
			return Rules{}, fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	return r, nil
}

// Allows tells whether somebody ("host") may do what needs the permission, on an object of a bucket or on the bucket itself.
func (r Rules) Allows(who, permission, bucket, object string) bool {
	return r.Buckets[bucket].Allows(r.Roles, r.Members[who], permission, bucket, object)
}

// ownServer finds what limits a host to its server; the quotes are those of a string in JSON.
var ownServer = regexp.MustCompile(`resource\.name\.startsWith\(\\"([^"\\]*/)` + Server + `/\\"\)`)

// everyServer puts a limit to all servers in its place: all below the same path, but what is pgseal's own.
func everyServer(found string) string {
	path := ownServer.FindStringSubmatch(found)[1]
	if strings.Contains(path, "/_pgseal/") {
		return `resource.name.startsWith(\"` + path + `\")`
	}
	return `(resource.name.startsWith(\"` + path + `\") && !resource.name.startsWith(\"` + path + `_pgseal/\"))`
}
