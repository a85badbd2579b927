package localaws

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// operators are the condition operators of AWS policies that are understood, each as a test of the request's value
// against one value of the policy. Null and the negations are handled by holds.
var operators = map[string]func(have, want string) bool{
	"StringEquals":              func(have, want string) bool { return have == want },
	"StringNotEquals":           func(have, want string) bool { return have == want },
	"StringEqualsIgnoreCase":    strings.EqualFold,
	"StringNotEqualsIgnoreCase": strings.EqualFold,
	"StringLike":                func(have, want string) bool { return wildcard(want, have) },
	"StringNotLike":             func(have, want string) bool { return wildcard(want, have) },
	"ArnEquals":                 func(have, want string) bool { return wildcard(want, have) },
	"ArnNotEquals":              func(have, want string) bool { return wildcard(want, have) },
	"ArnLike":                   func(have, want string) bool { return wildcard(want, have) },
	"ArnNotLike":                func(have, want string) bool { return wildcard(want, have) },
	"Bool":                      strings.EqualFold,
	"Null":                      nil,
	"NumericEquals":             numeric(func(a, b float64) bool { return a == b }),
	"NumericNotEquals":          numeric(func(a, b float64) bool { return a == b }),
	"NumericLessThan":           numeric(func(a, b float64) bool { return a < b }),
	"NumericLessThanEquals":     numeric(func(a, b float64) bool { return a <= b }),
	"NumericGreaterThan":        numeric(func(a, b float64) bool { return a > b }),
	"NumericGreaterThanEquals":  numeric(func(a, b float64) bool { return a >= b }),
	"DateLessThan":              dates(func(a, b time.Time) bool { return a.Before(b) }),
	"DateLessThanEquals":        dates(func(a, b time.Time) bool { return !a.After(b) }),
	"DateGreaterThan":           dates(func(a, b time.Time) bool { return a.After(b) }),
	"DateGreaterThanEquals":     dates(func(a, b time.Time) bool { return !a.Before(b) }),
}

// holds evaluates one condition. A key that the request does not carry fails every operator but Null, the negations
// and those that end in IfExists (IAM user guide, condition operators).
func holds(operator string, who Identity, context map[string]string, key string, values []string) bool {
	name, ifExists := strings.CutSuffix(operator, "IfExists")
	have, present := lookup(who, context, key)
	if name == "Null" {
		return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, strconv.FormatBool(!present)) })
	}
	negated := strings.Contains(name, "Not")
	if !present {
		return negated || ifExists
	}
	test := operators[name]
	one := slices.ContainsFunc(values, func(want string) bool { return test(have, want) })
	return one != negated
}

// lookup finds the value of a condition key, in the request or in who signed it.
func lookup(who Identity, context map[string]string, key string) (string, bool) {
	key = strings.ToLower(key)
	switch key {
	case "aws:principalarn":
		return who.ARN(), true
	case "aws:principalaccount", "s3:resourceaccount", "aws:resourceaccount":
		return account, true
	case "aws:securetransport":
		return "true", true // plain HTTP stands for TLS here
	}
	value, ok := context[key]
	return value, ok
}

// numeric compares decimal numbers; what is not a number never compares.
func numeric(compare func(a, b float64) bool) func(have, want string) bool {
	return func(have, want string) bool {
		a, errA := strconv.ParseFloat(have, 64)
		b, errB := strconv.ParseFloat(want, 64)
		return errA == nil && errB == nil && compare(a, b)
	}
}

// dates compares RFC 3339 times; what is not a time never compares.
func dates(compare func(a, b time.Time) bool) func(have, want string) bool {
	return func(have, want string) bool {
		a, errA := time.Parse(time.RFC3339, have)
		b, errB := time.Parse(time.RFC3339, want)
		return errA == nil && errB == nil && compare(a, b)
	}
}
