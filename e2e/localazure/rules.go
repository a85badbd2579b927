package localazure

import (
	"slices"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/terraform/azureiam"
	"github.com/pgseal/pgseal/terraform/azurepolicy"
)

// Rule lets somebody do something in a container, or keeps him from it, as a role assignment with a condition on paths
// does (Azure ABAC). What no rule allows is denied, and a rule that denies wins.
type Rule struct {
	Name string
	Who  []string
	Deny bool
	// Actions are data actions without "Microsoft.Storage/storageAccounts/blobServices/containers/": "blobs/read",
	// "blobs/write", "blobs/delete", "blobs/tags/write", ... Three are split as conditions can split them: "blobs/list" is
	// the suboperation Blob.List of blobs/read, "blobs/tier" is Blob.Write.Tier of blobs/write, and "blobs/add/action" makes
	// new blobs by Put Blob only. "read" and "write" are containers/read and containers/write. "*" is all.
	Actions   []string
	Container string   // "" is every one
	Paths     []string // patterns of blobs (* and ?); none is every blob, and the container itself
	Except    []string // patterns of blobs that the rule does not speak of
}

// Rules are the role assignments that Terraform renders for the two containers (terraform/azure, by way of azurepolicy), and a
// table of more rules.
type Rules struct {
	rendered azurepolicy.Rules
	places   map[string]string // container -> "vault" or "staging"

	mu   sync.Mutex
	list []*Rule
}

// Add adds rules and returns a function that takes them back.
func (r *Rules) Add(rules ...Rule) (remove func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	added := map[*Rule]bool{}
	for _, rule := range rules {
		r.list = append(r.list, &rule)
		added[&rule] = true
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.list = slices.DeleteFunc(r.list, func(x *Rule) bool { return added[x] })
	}
}

// allow decides; prefix is that of a listing.
func (r *Rules) allow(who, action, container, blob, prefix string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	allowed := r.assigned(who, action, container, blob, prefix)
	for _, rule := range r.list {
		if rule.speaks(who, action, container, blob) {
			if rule.Deny {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

func (r *Rule) speaks(who, action, container, blob string) bool {
	if !slices.Contains(r.Who, who) || r.Container != "" && r.Container != container ||
		!slices.Contains(r.Actions, action) && !slices.Contains(r.Actions, "*") {
		return false
	}
	if blob == "" { // the container itself
		return true
	}
	matches := func(pattern string) bool { return cloud.Match(pattern, blob) }
	return (len(r.Paths) == 0 || slices.ContainsFunc(r.Paths, matches)) && !slices.ContainsFunc(r.Except, matches)
}

// assigned tells whether the rendered assignments allow it. Each of their roles may see the container's properties.
func (r *Rules) assigned(who, action, container, blob, prefix string) bool {
	place := r.places[container]
	request := azureiam.Request{Action: "Microsoft.Storage/storageAccounts/blobServices/containers/" + action, Path: blob}
	switch action {
	case "read":
		return r.rendered.Assigned(who, place)
	case "blobs/list":
		request = azureiam.Request{Action: strings.Replace(request.Action, "/list", "/read", 1), SubOperation: "Blob.List", Prefix: prefix}
	case "blobs/tier":
		request.Action, request.SubOperation = strings.Replace(request.Action, "/tier", "/write", 1), "Blob.Write.Tier"
	}
	return r.rendered.Allows(who, place, request)
}

// permits decides about an operation, as the roles do: before the store looks at conditions and locks.
func (a *Azure) permits(who Identity, o operation) bool {
	allow := func(action string) bool {
		return a.Rules.allow(who.Name, action, o.container, o.blob, o.query.Get("prefix"))
	}
	switch {
	case o.name == "ListBlobs":
		return allow("blobs/list")
	case o.action == "":
		return false // the management's, or nothing that anybody of ours does
	case o.tagged && !allow("blobs/tags/write"):
		return false
	case allow(o.action):
		return true
	}
	return o.name == "PutBlob" && !a.locks.stands(o.container, o.blob) && allow("blobs/add/action")
}

// newRules are the rules of the two containers, a path in them and one server, or all of them ("*"), as Terraform renders them for
// hosts that may tag; and break-glass, whom the module lets near the vault alone, may do anything here: tests damage things
// with it.
func newRules(vault, staging, prefix, server string) (*Rules, error) {
	if server == "*" {
		server = ""
	}
	rendered, err := azurepolicy.For(azurepolicy.Tags, prefix, server)
	if err != nil {
		return nil, err
	}
	r := &Rules{rendered: rendered, places: map[string]string{vault: "vault", staging: "staging"}}
	r.Add(Rule{Name: "BreakglassDoesAnything", Who: []string{cloud.Breakglass}, Actions: []string{"*"}})
	return r, nil
}
