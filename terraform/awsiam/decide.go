package awsiam

import (
	"slices"
	"strings"
)

// Principal is who asks: a role (or a session of it), a user, or a service.
type Principal struct {
	ARN     string            // of the role or user: "arn:aws:iam::111122223333:role/pgseal-host-main"
	Service string            // "s3.amazonaws.com", and then no ARN
	Tags    map[string]string // of the role and its session
}

// Account is the account of the role or user.
func (p Principal) Account() string {
	if parts := strings.Split(p.ARN, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}

// Request is one permission that somebody needs.
type Request struct {
	Principal Principal
	Action    string
	Resource  string // its ARN
	Owner     string // account of the resource
	// Context has the request's condition keys, in any case. A key that is absent is absent from the request. What
	// follows from the principal (aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalTag/…) is known without it.
	Context map[string]string
}

// lookup finds the value of a condition key, in the request or in who signed it.
func (r Request) lookup(key string) (string, bool) {
	key = strings.ToLower(key)
	switch {
	case key == "aws:principalarn":
		return r.Principal.ARN, r.Principal.ARN != ""
	case key == "aws:principalaccount":
		return r.Principal.Account(), r.Principal.ARN != ""
	case key == "aws:resourceaccount" || key == "s3:resourceaccount":
		return r.Owner, r.Owner != ""
	case strings.HasPrefix(key, "aws:principaltag/"):
		return find(r.Principal.Tags, strings.TrimPrefix(key, "aws:principaltag/"))
	}
	return find(r.Context, key)
}

// find looks a key up without regard to case.
func find(in map[string]string, key string) (string, bool) {
	for name, value := range in {
		if strings.EqualFold(name, key) {
			return value, true
		}
	}
	return "", false
}

// Covers reports whether the statement speaks about what is asked, whoever asks.
func (s Statement) Covers(r Request) bool {
	action := func(p string) bool { return Match(strings.ToLower(p), strings.ToLower(r.Action)) }
	resource := func(p string) bool { return r.matches(p, r.Resource) }
	switch {
	case len(s.Action) > 0 && !slices.ContainsFunc(s.Action, action),
		len(s.NotAction) > 0 && slices.ContainsFunc(s.NotAction, action),
		len(s.Resource) > 0 && !slices.ContainsFunc(s.Resource, resource),
		len(s.NotResource) > 0 && slices.ContainsFunc(s.NotResource, resource):
		return false
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			if !r.holds(operator, key, values) {
				return false
			}
		}
	}
	return true
}

// named says how a resource policy's principals name who asks: not at all, through the account, or directly.
func (p Principals) named(who Principal) (any, directly bool) {
	if p.Everybody {
		return true, true
	}
	if who.Service != "" {
		directly = slices.Contains(p.Service, who.Service)
		return directly, directly
	}
	for _, arn := range p.AWS {
		if arn == who.ARN {
			return true, true
		}
		if arn == who.Account() || strings.HasSuffix(arn, ":root") && (Principal{ARN: arn}).Account() == who.Account() {
			any = true
		}
	}
	return any, false
}

// Decision is the answer to a request.
type Decision struct {
	Allowed bool
	// Sid is the statement that denied it, empty when none allows it; or one that allows it.
	Sid string
}

// Decide answers a request from the policies of who asks and the policy of what is asked for. An explicit deny in any of
// them decides. Within an account either side may allow it, though a resource policy that names the account only leaves
// it to the identity's policies. Across accounts both sides must. A service has no policies but the resource's.
func Decide(identity []Policy, resource Policy, r Request) Decision {
	byIdentity, byResource, directly := "", "", false
	for _, p := range identity {
		for _, s := range p.Statement {
			if !s.Covers(r) {
				continue
			}
			if s.Effect == Deny {
				return Decision{Sid: s.Sid}
			}
			byIdentity = s.Sid
		}
	}
	for _, s := range resource.Statement {
		any, direct := s.Principal.named(r.Principal)
		if !any || !s.Covers(r) {
			continue
		}
		if s.Effect == Deny {
			return Decision{Sid: s.Sid}
		}
		byResource, directly = s.Sid, directly || direct
	}
	switch {
	case r.Principal.Service != "" || r.Principal.Account() == r.Owner && directly:
		return Decision{Allowed: byResource != "", Sid: byResource}
	case r.Principal.Account() == r.Owner, byResource != "":
		return Decision{Allowed: byIdentity != "", Sid: byIdentity}
	}
	return Decision{}
}
