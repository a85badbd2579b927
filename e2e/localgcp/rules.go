package localgcp

import (
	"slices"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/e2e/cloud"
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

// Rules is the table of bindings. What none grants is forbidden.
type Rules struct {
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
	granted := false
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

// defaultBindings is who may do what on the two buckets: the host creates and never replaces in the vault, the finalizer
// creates backup.info, nobody deletes there.
func defaultBindings(c Config) []Binding {
	root := strings.TrimPrefix(c.Prefix+"/", "/")
	own := root + c.Server + "/*"
	seal := root + "*/base/*/backup.info"
	const create, remove, get, list, settings = "storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list", "storage.buckets.get"
	host, finalizer, operator := []string{cloud.Host}, []string{cloud.Finalizer}, []string{cloud.Operator}
	all := []Binding{
		{Name: "host creates", Members: host, Permissions: []string{create}, Bucket: c.Vault, Objects: []string{own}, Except: []string{"*/backup.info"}},
		{Name: "host reads its server", Members: host, Permissions: []string{get}, Bucket: c.Vault, Objects: []string{own}},
		{Name: "host lists", Members: host, Permissions: []string{list, settings}, Bucket: c.Vault},
		// Replacing takes the right to delete.
		{Name: "host stages", Members: host, Permissions: []string{create, remove}, Bucket: c.Staging,
			Objects: []string{own, root + "_pgseal/progress/" + c.Server + "/*", root + "_pgseal/complete/" + c.Server + "/*"},
			Except:  []string{"*_pgseal/verdict/*", "*_pgseal/sweep/*"}},
		{Name: "host reads staging", Members: host, Permissions: []string{get, list, settings}, Bucket: c.Staging},

		{Name: "finalizer seals", Members: finalizer, Permissions: []string{create, "storage.objects.setRetention"}, Bucket: c.Vault, Objects: []string{seal}},
		{Name: "finalizer reads", Members: finalizer, Permissions: []string{get, list, settings}, Bucket: c.Vault},
		{Name: "finalizer reads staging", Members: finalizer, Permissions: []string{get, list, settings}, Bucket: c.Staging},
		{Name: "finalizer gives verdicts", Members: finalizer, Permissions: []string{create, remove}, Bucket: c.Staging,
			Objects: []string{root + "_pgseal/verdict/*", root + "_pgseal/sweep/*"}},

		{Name: "restore reads", Members: []string{cloud.Restore, cloud.Operator}, Permissions: []string{get, list, settings}, Bucket: c.Vault},
		{Name: "restore reads staging", Members: []string{cloud.Restore, cloud.Operator}, Permissions: []string{get, list, settings}, Bucket: c.Staging},
		{Name: "operator keeps", Members: operator, Permissions: []string{create, remove}, Bucket: c.Vault, Objects: []string{root + "*/base/*/annotations/keep"}},

		{Name: "breakglass", Members: []string{cloud.Breakglass}, Permissions: []string{"*"}, Bucket: "*"},
	}
	if c.HostMaySetRetention {
		all = append(all, Binding{Name: "host locks", Members: host, Permissions: []string{"storage.objects.setRetention"}, Bucket: c.Vault, Objects: []string{own}})
	}
	return all
}
