// Package awsiam evaluates AWS policies as far as pgseal's modules use them: identity and resource policies, explicit
// denies, requests across accounts, tags and other policy variables, and the usual condition operators. What it does not
// know it refuses to parse: a rule that is silently ignored makes every test behind it worthless.
//
// It follows "Policy evaluation logic" and "IAM JSON policy elements" of the IAM user guide (read 2026-11), and was never
// compared with a live account.
package awsiam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Effect is what a statement does to the requests that it covers.
type Effect string

// A Deny wins over every Allow, and what no statement allows is denied.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Policy is one policy document.
type Policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement []Statement
}

// Statement is one rule of a policy.
type Statement struct {
	Sid         string
	Effect      Effect
	Principal   Principals // of a resource policy; empty in an identity's
	Action      Strings    // patterns: "s3:PutObject", "s3:Get*"
	NotAction   Strings
	Resource    Strings // ARN patterns: "arn:aws:s3:::vault/barman/*"
	NotResource Strings
	// Condition: operator, condition key, values. Every operator and key must hold; one of the values suffices.
	Condition map[string]map[string]Strings
}

// Strings is a list that may be written as a single string.
type Strings []string

// UnmarshalJSON reads either form.
func (s *Strings) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = Strings{one}
		return nil
	}
	var many []string
	err := json.Unmarshal(data, &many)
	*s = many
	return err
}

// Principals says whom a statement of a resource policy is about.
type Principals struct {
	Everybody bool
	AWS       Strings // ARNs of roles and users, or of accounts (…:root, or the number alone)
	Service   Strings
}

// UnmarshalJSON reads "*" and {"AWS": …, "Service": …}.
func (p *Principals) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		p.Everybody = true
		return nil
	}
	var kinds struct{ AWS, Service Strings }
	if err := strictly(data, &kinds); err != nil {
		return err
	}
	for _, arn := range kinds.AWS {
		p.Everybody = p.Everybody || arn == "*"
	}
	p.AWS, p.Service = kinds.AWS, kinds.Service
	return nil
}

// Parse reads a policy document. It fails for whatever is not understood here.
func Parse(document []byte) (Policy, error) {
	var p Policy
	if err := strictly(document, &p); err != nil {
		return Policy{}, err
	}
	if p.Version != "2012-10-17" {
		return Policy{}, fmt.Errorf("version %q: policy variables need 2012-10-17", p.Version)
	}
	for _, s := range p.Statement {
		if err := s.Check(); err != nil {
			return Policy{}, err
		}
	}
	return p, nil
}

func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Check refuses a statement that would never match or is not understood.
func (s Statement) Check() error {
	if s.Effect != Allow && s.Effect != Deny {
		return fmt.Errorf("statement %q: effect %q is neither Allow nor Deny", s.Sid, s.Effect)
	}
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
		return fmt.Errorf("statement %q: one of Action and NotAction", s.Sid)
	}
	if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
		return fmt.Errorf("statement %q: one of Resource and NotResource", s.Sid)
	}
	for _, list := range []Strings{s.Action, s.NotAction, s.Resource, s.NotResource} {
		if slices.Contains(list, "") {
			return fmt.Errorf("statement %q: an empty action or resource", s.Sid)
		}
	}
	for operator, keys := range s.Condition {
		name := strings.TrimSuffix(operator, "IfExists")
		if _, ok := operators[name]; !ok || operator == "NullIfExists" {
			return fmt.Errorf("statement %q: condition operator %q is not implemented", s.Sid, operator)
		}
		for key, values := range keys {
			if key == "" || len(values) == 0 {
				return fmt.Errorf("statement %q: %s has a key without a value", s.Sid, operator)
			}
		}
	}
	for _, list := range []Strings{s.Resource, s.NotResource} {
		for _, pattern := range list {
			if err := checkVariables(pattern); err != nil {
				return fmt.Errorf("statement %q: %w", s.Sid, err)
			}
		}
	}
	return nil
}
