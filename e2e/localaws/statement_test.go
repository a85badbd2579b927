package localaws

import "testing"

func TestConditions(t *testing.T) {
	who := Identity{Name: "host"}
	context := map[string]string{"s3:if-none-match": "*", "s3:object-lock-remaining-retention-days": "30"}
	for _, c := range []struct {
		name, operator, key string
		values              []string
		want                bool
	}{
		{"a key that is present is not null", "Null", "s3:if-none-match", []string{"false"}, true},
		{"a key that is absent is null", "Null", "s3:object-lock-mode", []string{"true"}, true},
		{"keys ignore case", "StringEquals", "S3:If-None-Match", []string{"*"}, true},
		{"one of the values suffices", "StringEquals", "s3:if-none-match", []string{"x", "*"}, true},
		{"an absent key equals nothing", "StringEquals", "s3:object-lock-mode", []string{"COMPLIANCE"}, false},
		{"an absent key passes a negation", "StringNotEquals", "s3:object-lock-mode", []string{"COMPLIANCE"}, true},
		{"an absent key passes IfExists", "StringEqualsIfExists", "s3:object-lock-mode", []string{"COMPLIANCE"}, true},
		{"not equal means to none of the values", "StringNotEquals", "s3:if-none-match", []string{"x", "*"}, false},
		{"numbers compare as numbers", "NumericLessThan", "s3:object-lock-remaining-retention-days", []string{"100"}, true},
		{"the principal's ARN is known", "ArnLike", "aws:PrincipalArn", []string{"arn:aws:iam::*:role/pgseal-*"}, true},
		{"a star in StringLike spans slashes", "StringLike", "aws:PrincipalArn", []string{"arn:*host"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := holds(c.operator, who, context, c.key, c.values); got != c.want {
				t.Error(got)
			}
		})
	}
}

func TestStatementsThatWouldBeIgnoredAreRefused(t *testing.T) {
	for name, s := range map[string]Statement{
		"an unknown operator": {Effect: Deny, Actions: []string{"s3:*"}, Resources: []string{"*"},
			Conditions: map[string]map[string][]string{"StringAlmost": {"s3:prefix": {"x"}}}},
		"no effect":   {Actions: []string{"s3:*"}, Resources: []string{"*"}},
		"no resource": {Effect: Allow, Actions: []string{"s3:*"}},
	} {
		if err := (&Rules{}).Add(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"a*", "a/b/c", true}, {"*/backup.info", "x/y/backup.info", true}, {"*/backup.info", "backup.info", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*a*b", "xxaxxbxxb", true}, {"abc", "abcd", false}, {"", "", true}, {"a**", "a", true},
	} {
		if got := wildcard(c.pattern, c.s); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.s, got)
		}
	}
}
