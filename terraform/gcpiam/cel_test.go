package gcpiam

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	attributes := map[string]string{"resource.name": "projects/_/buckets/b/objects/pg/main/base/20260101T000000/backup.info"}
	for expression, want := range map[string]bool{
		`true`:  true,
		`!true`: false,
		`resource.name.startsWith("projects/_/buckets/b/objects/pg/")`:                     true,
		`resource.name.startsWith("projects/_/buckets/b/objects/pg2")`:                     false,
		`resource.name.endsWith("/backup.info") && !resource.name.endsWith("/data.tar")`:   true,
		`resource.name.endsWith("/data.tar") || resource.name.endsWith("/manifest.json")`:  false,
		`!(resource.name.endsWith("/data.tar") || resource.name.endsWith("/backup.info"))`: false,
		`false && true || true`: true, // && binds closer
		`resource.name.extract("/base/{id}/") == "20260101T000000"`:                                                  true,
		`resource.name.extract("/wals/{id}/") != ""`:                                                                 false,
		`resource.name.extract("/base/{rest}") == "20260101T000000/backup.info"`:                                     true,
		`resource.name == "projects/_/buckets/b/objects/pg/main/base/20260101T000000/backup.info"`:                   true,
		`resource.name.startsWith("projects/_/buckets/b/objects/pg/main/") && resource.name.extract("/{x}!/") == ""`: true,
	} {
		e, err := parse(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, err := truth(e, attributes); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", expression, got, err, want)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, expression := range []string{
		``, `resource.name.startsWith("a"`, `resource.name.startsWith(a)`, `resource.name.matches("a")`, `resource.name.startsWith("a", "b")`,
		`true true`, `(true`, `"open`, `resource.name in ["a"]`, `1 == 1`, `request.time < timestamp("2026-01-01T00:00:00Z")`, `&& true`, `true ||`,
		`resource.`, strings.Repeat("true && ", 13) + "true",
	} {
		if _, err := parse(expression); err == nil {
			t.Errorf("%s was understood", expression)
		}
	}
	for _, expression := range []string{`resource.nothing == "a"`, `resource.name`, `"text" && true`, `resource.name.extract("nothing") == ""`} {
		e, err := parse(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, err := truth(e, map[string]string{"resource.name": "n"}); err == nil {
			t.Errorf("%s is %v", expression, got)
		}
	}
}

func TestABrokenConditionAllowsNothing(t *testing.T) {
	p := Policy{Bindings: []Binding{{Role: "r", Members: []string{"m"}, Condition: &Condition{Title: "t", Expression: `resource.nothing == "a"`}}}}
	if p.Allows(map[string][]string{"r": {"storage.objects.get"}}, "m", "storage.objects.get", "b", "o") {
		t.Error("a condition that cannot be evaluated holds")
	}
}

func TestPoliciesThatIAMRefuses(t *testing.T) {
	roles := map[string][]string{"r": {"storage.objects.get"}}
	if err := (Policy{Bindings: []Binding{{Role: "r", Members: []string{"m"}}}}).Check(roles); err != nil {
		t.Fatal(err)
	}
	many := make([]Binding, maxConditions+1)
	for i := range many {
		many[i] = Binding{Role: "r", Members: []string{"m"}, Condition: &Condition{Title: "t", Expression: "true"}}
	}
	for name, bindings := range map[string][]Binding{
		"an unknown role":             {{Role: "roles/storage.objectAdmin", Members: []string{"m"}}},
		"nobody":                      {{Role: "r"}},
		"a title that is too long":    {{Role: "r", Members: []string{"m"}, Condition: &Condition{Title: strings.Repeat("t", 101), Expression: "true"}}},
		"an unreadable condition":     {{Role: "r", Members: []string{"m"}, Condition: &Condition{Title: "t", Expression: "maybe("}}},
		"too many conditions of one":  many,
		"more principals than it has": {{Role: "r", Members: make([]string, maxPrincipals+1)}},
	} {
		if err := (Policy{Bindings: bindings}).Check(roles); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzConditions(f *testing.F) {
	f.Add(`resource.name.startsWith("a") && !resource.name.endsWith("b")`)
	f.Fuzz(func(t *testing.T, expression string) {
		if e, err := parse(expression); err == nil {
			_, _ = truth(e, map[string]string{"resource.name": "n"})
		}
	})
}
