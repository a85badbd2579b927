package awsiam

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// operators are the condition operators that are understood, each as a test of the request's value against one value of
// the policy, whose variables have been replaced. Null and the negations are handled by holds.
var operators = map[string]func(have, want string) bool{
	"StringEquals":              equal,
	"StringNotEquals":           equal,
	"StringEqualsIgnoreCase":    func(have, want string) bool { return strings.EqualFold(have, literal(want)) },
	"StringNotEqualsIgnoreCase": func(have, want string) bool { return strings.EqualFold(have, literal(want)) },
	"StringLike":                func(have, want string) bool { return match(want, have) },
	"StringNotLike":             func(have, want string) bool { return match(want, have) },
	"ArnEquals":                 func(have, want string) bool { return matchARN(want, have) },
	"ArnNotEquals":              func(have, want string) bool { return matchARN(want, have) },
	"ArnLike":                   func(have, want string) bool { return matchARN(want, have) },
	"ArnNotLike":                func(have, want string) bool { return matchARN(want, have) },
	"Bool":                      func(have, want string) bool { return strings.EqualFold(have, literal(want)) },
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

func equal(have, want string) bool { return have == literal(want) }

// literal gives * and ? back to operators that know no patterns.
func literal(s string) string {
	return strings.NewReplacer(string(rune(anything)), "*", string(rune(oneChar)), "?").Replace(s)
}

// holds evaluates one condition. A key that the request does not carry fails every operator but Null, the negations and
// those that end in IfExists.
func (r Request) holds(operator, key string, values []string) bool {
	name, ifExists := strings.CutSuffix(operator, "IfExists")
	have, present := r.lookup(key)
	if name == "Null" {
		return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, strconv.FormatBool(!present)) })
	}
	negated := strings.Contains(name, "Not")
	if !present {
		return negated || ifExists
	}
	test := operators[name]
	one := slices.ContainsFunc(values, func(want string) bool {
		want, ok := r.replace(want)
		return ok && test(have, want)
	})
	return one != negated
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
