package localazure

import (
	"slices"
	"sync"

	"github.com/pgseal/pgseal/e2e/cloud"
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

// Rules are the rules in force.
type Rules struct {
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

// allow decides.
func (r *Rules) allow(who, action, container, blob string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	allowed := false
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

// permits decides about an operation, as the roles do: before the store looks at conditions and locks.
func (a *Azure) permits(who Identity, o operation) bool {
	if o.name == "ListBlobs" {
		return a.Rules.allow(who.Name, "blobs/list", o.container, "")
	}
	if o.action == "" {
		return false // the management's, or nothing that anybody of ours does
	}
	if a.Rules.allow(who.Name, o.action, o.container, o.blob) {
		return true
	}
	return o.name == "PutBlob" && !a.locks.stands(o.container, o.blob) &&
		a.Rules.allow(who.Name, "blobs/add/action", o.container, o.blob)
}

// defaultRules is who may do what, as the design asks for it: the host creates and never seals, the finalizer seals,
// nobody deletes in the vault; that nobody replaces there is the policy's work. server may be "*".
func defaultRules(vault, staging, root, server string) []Rule {
	const host, finalizer, restore, operator, breakglass = cloud.Host, cloud.Finalizer, cloud.Restore, cloud.Operator, cloud.Breakglass
	create := []string{"blobs/write", "blobs/add/action", "blobs/tags/write"}
	everybody := []string{host, finalizer, restore, operator}
	own := root + server + "/*"
	return []Rule{
		{Name: "HostCreatesItsServer", Who: []string{host}, Actions: create, Container: vault, Paths: []string{own},
			Except: []string{"*/backup.info", "*/annotations/*"}},
		{Name: "HostReadsItsServer", Who: []string{host}, Actions: []string{"blobs/read"}, Container: vault, Paths: []string{own}},
		{Name: "HostStages", Who: []string{host}, Actions: create, Container: staging,
			Paths:  []string{own, root + "_pgseal/progress/" + server + "/*", root + "_pgseal/complete/" + server + "/*"},
			Except: []string{root + "_pgseal/verdict/*", root + "_pgseal/sweep/*"}},
		{Name: "HostReadsStaging", Who: []string{host}, Actions: []string{"blobs/read"}, Container: staging},

		{Name: "FinalizerSeals", Who: []string{finalizer}, Actions: []string{"blobs/write", "blobs/add/action"}, Container: vault,
			Paths: []string{root + "*/base/*/backup.info"}},
		{Name: "FinalizerReads", Who: []string{finalizer}, Actions: []string{"blobs/read"}, Paths: []string{root + "*"}},
		{Name: "FinalizerGivesVerdicts", Who: []string{finalizer}, Actions: []string{"blobs/write", "blobs/add/action"}, Container: staging,
			Paths: []string{root + "_pgseal/verdict/*", root + "_pgseal/sweep/*"}},

		{Name: "RestoreReads", Who: []string{restore, operator}, Actions: []string{"blobs/read"}},
		{Name: "OperatorKeeps", Who: []string{operator}, Actions: []string{"blobs/write", "blobs/add/action", "blobs/delete"}, Container: vault,
			Paths: []string{root + "*/base/*/annotations/*"}},
		{Name: "EverybodyListsAndSeesLocks", Who: everybody, Actions: []string{"blobs/list", "read"}},

		{Name: "BreakglassDoesAnything", Who: []string{breakglass}, Actions: []string{"*"}},
	}
}
