// Package azurepolicy holds the role assignments of the Azure module as Terraform renders them, and what they promise. They are
// made by a plan without an account (azure/tests/access.tftest.hcl) and kept current by a test here; the tests and the local Azure
// of the end-to-end tests both use them, so that what is deployed and what is tested are the same words.
package azurepolicy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pgseal/pgseal/terraform/azureiam"
)

//go:embed assignments.json
var rendered []byte

// The names with which assignments.json was rendered; For replaces them.
const (
	Prefix = "barman"
	Server = "examplehost"
)

// Rules are the assignments on the two containers, by who they are for: "host", "finalizer", "restore", "operator", "expire",
// and in the vault "breakglass".
type Rules struct {
	Vault   map[string]azureiam.Assignment `json:"vault"`
	Staging map[string]azureiam.Assignment `json:"staging"`
}

// The runs of access.tftest.hcl that assignments.json has.
const (
	Complete = "complete" // everybody is there
	Tags     = "tags"     // and hosts tag what they create
)

// For is what terraform/azure renders in a run for this prefix (with or without a slash at its end; "" is none) and one server. The
// server "" stands for all of them, which no assignment does: tests with many servers and one host want it.
func For(run, prefix, server string) (Rules, error) {
	return parse(rendered, run, prefix, server)
}

func parse(document []byte, run, prefix, server string) (Rules, error) {
	root := strings.Trim(prefix, "/")
	if root != "" {
		root += "/"
	}
	text := string(document)
	if server == "" {
		text = ownServer.ReplaceAllStringFunc(text, everyServer)
		server = "all"
	}
	text = strings.NewReplacer("'"+Prefix+"/", "'"+root, Server, server).Replace(text)
	var runs map[string]Rules
	if err := json.Unmarshal([]byte(text), &runs); err != nil {
		return Rules{}, fmt.Errorf("the rendered assignments: %w", err)
	}
	r, ok := runs[run]
	if !ok {
		return Rules{}, fmt.Errorf("the rendered assignments have no run %q", run)
	}
	for _, assignments := range []map[string]azureiam.Assignment{r.Vault, r.Staging} {
		for who, a := range assignments {
			if err := a.Check(); err != nil {
				return Rules{}, fmt.Errorf("%s: %w", who, err)
			}
		}
	}
	return r, nil
}

// ownServer finds what limits a host to its server.
var ownServer = regexp.MustCompile(`(@[A-Za-z]+\[[^\]]*\]) StringLike '([^']*)` + Server + `/\*'`)

// everyServer puts a limit to all servers in its place: all below the same path, but what is pgseal's own.
func everyServer(found string) string {
	m := ownServer.FindStringSubmatch(found)
	if strings.Contains(m[2], "_pgseal/") {
		return fmt.Sprintf("%s StringLike '%s*'", m[1], m[2])
	}
	return fmt.Sprintf("(%s StringLike '%s*' AND %s StringNotLike '%s_pgseal/*')", m[1], m[2], m[1], m[2])
}

// Allows tells whether somebody ("host") may do it in "vault" or "staging".
func (r Rules) Allows(who, container string, request azureiam.Request) bool {
	return map[string]map[string]azureiam.Assignment{"vault": r.Vault, "staging": r.Staging}[container][who].Allows(request)
}

// Assigned tells whether somebody has any role in "vault" or "staging"; each of them shows the container's properties.
func (r Rules) Assigned(who, container string) bool {
	_, ok := map[string]map[string]azureiam.Assignment{"vault": r.Vault, "staging": r.Staging}[container][who]
	return ok
}
