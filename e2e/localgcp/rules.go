package localgcp

import (
	"slices"
	"sync"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/terraform/gcppolicy"
)

// Binding grants permissions, as a role bound to a member does; with Deny it takes them away, as a deny policy does.
type Binding struct {
	Name        string
	Members     []string // identities
	Permissions []string // "storage.objects.create"; * as in cloud.Match
	Bucket      string
	// Objects and Except are a condition on resource.name, as patterns of object names: any of Objects, and none of
	// Except. What is asked of the bucket itself, listing for one, does not meet a condition on objects, as on Google
	// Cloud, where resource.name is the bucket's then.
	Objects []string
	Except  []string
	Deny    bool
}

// Rules are the IAM policies that Terraform renders for the two buckets (terraform/gcp, by way of gcppolicy), and a table of
// more bindings. What none grants is forbidden.
type Rules struct {
	rendered gcppolicy.Rules

	mu   sync.RWMutex
	list []Binding
}

// Add appends bindings.
func (r *Rules) Add(bindings ...Binding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, bindings...)
}

// Remove takes out those of that name.
func (r *Rules) Remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(b Binding) bool { return b.Name == name })
}

// allow decides; object is "" for what is asked of a bucket.
func (r *Rules) allow(who, permission, bucket, object string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	granted := r.rendered.Allows(who, permission, bucket, object)
	for _, b := range r.list {
		if !b.matches(who, permission, bucket, object) {
			continue
		}
		if b.Deny {
			return false
		}
		granted = true
	}
	return granted
}

func (b *Binding) matches(who, permission, bucket, object string) bool {
	like := func(patterns []string, s string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return cloud.Match(p, s) })
	}
	if !slices.Contains(b.Members, who) || !like(b.Permissions, permission) || !cloud.Match(b.Bucket, bucket) {
		return false
	}
	if object == "" {
		return len(b.Objects)+len(b.Except) == 0 || b.Deny && permission == "storage.objects.list"
	}
	return (len(b.Objects) == 0 || like(b.Objects, object)) && !like(b.Except, object)
}

// newRules are the rules of a vault, a staging bucket and one server, or all of them ("*"), as Terraform renders them; and
// break-glass, whom the module lets near the vault alone, may do anything here: tests break things with it.
func newRules(c Config) (*Rules, error) {
	run, server := gcppolicy.Complete, c.Server
	if c.HostMaySetRetention {
		run = gcppolicy.Retention
	}
	if server == "*" {
		server = ""
	}
	rendered, err := gcppolicy.For(run, c.Vault, c.Staging, c.Prefix, server)
	if err != nil {
		return nil, err
	}
	r := &Rules{rendered: rendered}
	r.Add(Binding{Name: "breakglass", Members: []string{cloud.Breakglass}, Permissions: []string{"*"}, Bucket: "*"})
	return r, nil
}
