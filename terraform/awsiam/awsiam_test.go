package awsiam

import (
	"strings"
	"testing"
)

const role = "arn:aws:iam::111122223333:role/pgseal-host-main"

func TestConditions(t *testing.T) {
	r := Request{
		Principal: Principal{ARN: role, Tags: map[string]string{"pgseal-server": "main", "odd": "a*"}},
		Context:   map[string]string{"s3:if-none-match": "*", "s3:object-lock-remaining-retention-days": "30", "aws:CurrentTime": "2026-11-26T00:00:00Z"},
	}
	for _, c := range []struct {
		name, operator, key string
		values              []string
		want                bool
	}{
		{"a key that is present is not null", "Null", "s3:if-none-match", []string{"false"}, true},
		{"a key that is absent is null", "Null", "s3:object-lock-mode", []string{"true"}, true},
		{"keys ignore case", "StringEquals", "S3:If-None-Match", []string{"*"}, true},
		{"one of the values suffices", "StringEquals", "s3:if-none-match", []string{"x", "*"}, true},
		{"equality knows no patterns", "StringEquals", "aws:PrincipalArn", []string{"arn:*"}, false},
		{"an absent key equals nothing", "StringEquals", "s3:object-lock-mode", []string{"COMPLIANCE"}, false},
		{"an absent key passes a negation", "StringNotEquals", "s3:object-lock-mode", []string{"COMPLIANCE"}, true},
		{"an absent key passes IfExists", "StringEqualsIfExists", "s3:object-lock-mode", []string{"COMPLIANCE"}, true},
		{"an absent key passes a negation with IfExists too", "StringNotEqualsIfExists", "s3:object-lock-mode", []string{"COMPLIANCE"}, true},
		{"an absent number is not less", "NumericLessThan", "s3:content-length", []string{"9"}, false},
		{"not equal means to none of the values", "StringNotEquals", "s3:if-none-match", []string{"x", "*"}, false},
		{"numbers compare as numbers", "NumericLessThan", "s3:object-lock-remaining-retention-days", []string{"100"}, true},
		{"times compare as times", "DateLessThan", "aws:CurrentTime", []string{"2026-11-26T01:00:00+02:00"}, false},
		{"the principal's ARN is known", "ArnLike", "aws:PrincipalArn", []string{"arn:aws:iam::*:role/pgseal-*"}, true},
		{"a star in an ARN does not span its parts", "ArnLike", "aws:PrincipalArn", []string{"arn:aws:*:role/pgseal-host-main"}, false},
		{"a star in StringLike does", "StringLike", "aws:PrincipalArn", []string{"arn:aws:*:role/pgseal-host-main"}, true},
		{"a value with a variable", "StringEquals", "aws:PrincipalTag/pgseal-server", []string{"${aws:PrincipalTag/Pgseal-Server}"}, true},
		{"a variable that is absent matches nothing", "StringLike", "aws:PrincipalArn", []string{"*${aws:PrincipalTag/none}"}, false},
		{"a value's star is no pattern", "StringLike", "s3:if-none-match", []string{"${aws:PrincipalTag/odd}"}, false},
		{"a star that is meant", "StringEquals", "s3:if-none-match", []string{"${*}"}, true},
		{"a boolean", "Bool", "s3:if-none-match", []string{"true"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := r.holds(c.operator, c.key, c.values); got != c.want {
				t.Error(got)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"a*", "a/b/c", true}, {"*/backup.info", "x/y/backup.info", true}, {"*/backup.info", "backup.info", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*a*b", "xxaxxbxxb", true}, {"abc", "abcd", false}, {"", "", true}, {"a**", "a", true},
	} {
		if got := Match(c.pattern, c.s); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.s, got)
		}
	}
}

// TestWhoDecides goes through the table of the IAM user guide: either side suffices within an account, both are needed
// across accounts, a deny wins.
func TestWhoDecides(t *testing.T) {
	policy := func(effect, principal string) Policy {
		if principal != "" {
			principal = `"Principal":` + principal + `,`
		}
		p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"` + effect + `",` + principal + `"Action":"s3:*","Resource":"*"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	none := Policy{}
	allow, deny := []Policy{policy("Allow", "")}, []Policy{policy("Allow", ""), policy("Deny", "")}
	const same, other = "111122223333", "999999999999"
	for _, c := range []struct {
		name     string
		identity []Policy
		resource Policy
		owner    string
		want     bool
	}{
		{"nobody allows", nil, none, same, false},
		{"the identity allows", allow, none, same, true},
		{"the identity denies as well", deny, none, same, false},
		{"the resource allows everybody", nil, policy("Allow", `"*"`), same, true},
		{"the resource allows the role", nil, policy("Allow", `{"AWS":"`+role+`"}`), same, true},
		{"the resource leaves it to the account", nil, policy("Allow", `{"AWS":"arn:aws:iam::111122223333:root"}`), same, false},
		{"the resource leaves it to the account, whose policy allows", allow, policy("Allow", `{"AWS":"111122223333"}`), same, true},
		{"the resource denies", allow, policy("Deny", `"*"`), same, false},
		{"the resource denies somebody else", allow, policy("Deny", `{"AWS":"arn:aws:iam::111122223333:role/x"}`), same, true},
		{"across accounts the identity alone is not enough", allow, none, other, false},
		{"across accounts the resource alone is not enough", nil, policy("Allow", `{"AWS":"`+role+`"}`), other, false},
		{"across accounts both", allow, policy("Allow", `{"AWS":"arn:aws:iam::111122223333:root"}`), other, true},
		{"across accounts both, and a deny", deny, policy("Allow", `"*"`), other, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Principal: Principal{ARN: role}, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: c.owner}
			if got := Decide(c.identity, c.resource, r); got.Allowed != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
	service := Request{Principal: Principal{Service: "s3.amazonaws.com"}, Action: "s3:GetObject", Resource: "x", Owner: same}
	if Decide(nil, policy("Allow", `{"Service":"events.amazonaws.com"}`), service).Allowed || !Decide(nil, policy("Allow", `{"Service":"s3.amazonaws.com"}`), service).Allowed {
		t.Error("services")
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for name, document := range map[string]string{
		"an unknown operator":       `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringAlmost":{"s3:prefix":"x"}}}`,
		"a set operator":            `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"s3:prefix":"x"}}}`,
		"no effect":                 `{"Action":"s3:*","Resource":"*"}`,
		"no resource":               `{"Effect":"Allow","Action":"s3:*"}`,
		"an empty action":           `{"Effect":"Allow","Action":"","Resource":"*"}`,
		"no action":                 `{"Effect":"Allow","Resource":"*"}`,
		"Action and NotAction":      `{"Effect":"Allow","Action":"s3:*","NotAction":"s3:Get*","Resource":"*"}`,
		"NotPrincipal":              `{"Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":"*"}`,
		"a federated principal":     `{"Effect":"Deny","Principal":{"Federated":"x"},"Action":"s3:*","Resource":"*"}`,
		"a variable with a default": `{"Effect":"Allow","Action":"s3:*","Resource":"${aws:PrincipalTag/x, 'all'}"}`,
		"a variable without an end": `{"Effect":"Allow","Action":"s3:*","Resource":"${aws:PrincipalTag"}`,
		"a condition without value": `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"s3:prefix":[]}}}`,
	} {
		if _, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + document + `]}`)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Parse([]byte(`{"Version":"2008-10-17","Statement":[]}`)); err == nil || !strings.Contains(err.Error(), "variables") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:*"],"Resource":"${aws:PrincipalTag/x}*"}]}`), "s3:x", "k")
	f.Fuzz(func(t *testing.T, document []byte, action, resource string) {
		p, err := Parse(document)
		if err != nil {
			return
		}
		// Denying the same again never allows more.
		r := Request{Principal: Principal{ARN: role}, Action: action, Resource: resource}
		denied := p
		denied.Statement = append([]Statement{{Effect: Deny, Action: Strings{"*"}, Resource: Strings{"*"}, Principal: Principals{Everybody: true}}}, p.Statement...)
		if Decide([]Policy{p}, denied, r).Allowed {
			t.Error("a deny of everything was overruled")
		}
	})
}
