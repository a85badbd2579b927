// Package gcpiam evaluates IAM policies of Cloud Storage buckets as far as pgseal's module uses them: allow bindings, custom
// roles, and conditions in a part of CEL. What it does not know it refuses to parse.
//
// It follows "IAM Conditions" and "Attribute reference for IAM Conditions" (read 2026-11), and was never compared with a
// live project.
package gcpiam

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is the IAM policy of one bucket: allow bindings, and nothing that denies.
type Policy struct {
	Bindings []Binding `json:"bindings"`
}

// Binding gives a role to members, where its condition holds.
type Binding struct {
	Role      string     `json:"role"`
	Members   []string   `json:"members"`
	Condition *Condition `json:"condition,omitempty"`
}

// Condition is a condition of IAM, written in CEL.
type Condition struct {
	Title      string `json:"title"`
	Expression string `json:"expression"`
}

// Limits of a policy ("Quotas and limits" of IAM, 2026-11): principals in all bindings, counted as often as they occur, and
// bindings of one role to one principal under different conditions.
const (
	maxPrincipals = 1500
	maxConditions = 20
)

// predefined are the roles of Google that the modules use, and what the permissions in them begin with.
var predefined = map[string]string{"roles/storage.admin": "storage."}

// Check refuses a policy that IAM would refuse, or that names a role nobody knows.
func (p Policy) Check(roles map[string][]string) error {
	principals := 0
	conditions := map[string]int{}
	for _, b := range p.Bindings {
		if roles[b.Role] == nil && predefined[b.Role] == "" {
			return fmt.Errorf("unknown role %s", b.Role)
		}
		if len(b.Members) == 0 {
			return fmt.Errorf("a binding of %s without members", b.Role)
		}
		principals += len(b.Members)
		if b.Condition == nil {
			continue
		}
		if _, err := parse(b.Condition.Expression); err != nil {
			return err
		}
		if len(b.Condition.Title) == 0 || len(b.Condition.Title) > 100 {
			return fmt.Errorf("condition title %q is not 1 to 100 bytes long", b.Condition.Title)
		}
		for _, m := range b.Members {
			key := b.Role + " " + m
			if conditions[key]++; conditions[key] > maxConditions {
				return fmt.Errorf("%s has %s under more than %d conditions", m, b.Role, maxConditions)
			}
		}
	}
	if principals > maxPrincipals {
		return fmt.Errorf("%d principals, and a policy takes %d", principals, maxPrincipals)
	}
	return nil
}

// Allows tells whether the policy lets the member do what needs the permission ("storage.objects.create"), on an object or,
// with object "", on the bucket itself. storage.objects.list is checked on the bucket, whatever prefix is listed. A condition
// that cannot be evaluated does not hold, as with IAM.
func (p Policy) Allows(roles map[string][]string, member, permission, bucket, object string) bool {
	attributes := map[string]string{
		"resource.service": "storage.googleapis.com",
		"resource.type":    "storage.googleapis.com/Bucket",
		"resource.name":    "projects/_/buckets/" + bucket,
	}
	if object != "" && permission != "storage.objects.list" {
		attributes["resource.type"] = "storage.googleapis.com/Object"
		attributes["resource.name"] += "/objects/" + object
	}
	return slices.ContainsFunc(p.Bindings, func(b Binding) bool {
		return slices.Contains(b.Members, member) && grants(roles, b.Role, permission) && b.Condition.holds(attributes)
	})
}

func grants(roles map[string][]string, role, permission string) bool {
	if prefix := predefined[role]; prefix != "" {
		return strings.HasPrefix(permission, prefix)
	}
	return slices.Contains(roles[role], permission)
}

func (c *Condition) holds(attributes map[string]string) bool {
	if c == nil {
		return true
	}
	e, err := parse(c.Expression)
	if err != nil {
		return false
	}
	v, err := truth(e, attributes)
	return err == nil && v
}
