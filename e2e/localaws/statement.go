package localaws

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

// Effect is what a statement does to the requests it matches.
type Effect = awsiam.Effect

// The two effects of AWS policies. A Deny wins over every Allow, and what no statement allows is denied.
const (
	Allow = awsiam.Allow
	Deny  = awsiam.Deny
)

// Statement is one rule in the shape of an AWS policy statement, identity and resource policies alike.
type Statement struct {
	Sid       string
	Effect    Effect
	Principal []string // names ("host") or ARN patterns; "*" and an empty list are everybody
	Actions   []string // patterns: "s3:PutObject", "s3:Get*"
	Resources []string // ARN patterns: "arn:aws:s3:::vault/barman/*"
	// NotResources, in the place of Resources: everything but these.
	NotResources []string
	// Conditions: operator, condition key, values. Every operator and key must hold; one of the values suffices.
	Conditions map[string]map[string][]string
	// bucket is the one whose policy has this statement; empty in an identity's.
	bucket string
}

// Rules is the access table of the local AWS. It may be changed while requests run.
type Rules struct {
	mu         sync.RWMutex
	statements []Statement
}

// Add appends statements. It fails for an effect or a condition operator that is not understood, because a rule
// that is silently ignored makes every test behind it worthless.
func (r *Rules) Add(statements ...Statement) error {
	for _, s := range statements {
		if err := s.check(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = append(r.statements, statements...)
	return nil
}

// Replace puts the statements in the place of all that are there, for instance with policies rendered elsewhere. It
// fails as Add does, and then changes nothing.
func (r *Rules) Replace(statements ...Statement) error {
	fresh := &Rules{}
	if err := fresh.Add(statements...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = fresh.statements
	return nil
}

// Statements is a copy of the table.
func (r *Rules) Statements() []Statement {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.statements)
}

// question is one permission that a request needs.
type question struct {
	action   string
	resource string
	context  map[string]string // condition keys in lower case; a key that is absent is absent from the request
}

// refusal says why a question was answered with no.
type refusal struct {
	question
	explicit bool
	sid      string
}

// decide answers the question for the identity; nil means allowed.
func (r *Rules) decide(who Identity, q question) *refusal {
	r.mu.RLock()
	defer r.mu.RUnlock()
	allowed := false
	for _, s := range r.statements {
		if !s.matches(who, q) {
			continue
		}
		if s.Effect == Deny {
			return &refusal{question: q, explicit: true, sid: s.Sid}
		}
		allowed = true
	}
	if allowed {
		return nil
	}
	return &refusal{question: q}
}

// message words the refusal as Amazon S3 does.
func (r *refusal) message(who Identity) string {
	reason := fmt.Sprintf("because no identity-based policy allows the %s action", r.action)
	if r.explicit {
		reason = "with an explicit deny in a resource-based policy"
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %q %s", who.ARN(), r.action, r.resource, reason)
}

// matches reports whether the statement speaks about the question.
func (s Statement) matches(who Identity, q question) bool {
	if len(s.Principal) > 0 && !slices.ContainsFunc(s.Principal, func(p string) bool {
		return p == who.Name || wildcard(p, who.ARN())
	}) {
		return false
	}
	if arn := "arn:aws:s3:::" + s.bucket; s.bucket != "" && q.resource != arn && !strings.HasPrefix(q.resource, arn+"/") {
		return false
	}
	return s.inIAM().Covers(awsiam.Request{
		Principal: awsiam.Principal{ARN: who.ARN()}, Owner: account,
		Action: q.action, Resource: q.resource, Context: q.context,
	})
}

// check refuses what would never match or never be understood.
func (s Statement) check() error { return s.inIAM().Check() }

// inIAM is the statement for the evaluator, but for its principals.
func (s Statement) inIAM() awsiam.Statement {
	conditions := map[string]map[string]awsiam.Strings{}
	for operator, keys := range s.Conditions {
		conditions[operator] = map[string]awsiam.Strings{}
		for key, values := range keys {
			conditions[operator][key] = values
		}
	}
	return awsiam.Statement{
		Sid: s.Sid, Effect: s.Effect, Action: s.Actions, Resource: s.Resources, NotResource: s.NotResources, Condition: conditions,
	}
}

// wildcard matches as IAM does: * stands for any characters, slashes included, and ? for one.
func wildcard(pattern, s string) bool { return awsiam.Match(pattern, s) }
