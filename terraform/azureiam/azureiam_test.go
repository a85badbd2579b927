package azureiam

import (
	"strings"
	"testing"
)

const (
	write = blobs + "/write"
	read  = blobs + "/read"
	path  = "@Resource[" + blobs + ":path]"
)

func TestConditions(t *testing.T) {
	put := Request{Action: write, Path: "pg/main/base/1/data.tar"}
	tier := Request{Action: write, SubOperation: "Blob.Write.Tier", Path: "pg/main/base/1/data.tar"}
	list := Request{Action: read, SubOperation: "Blob.List", Prefix: "pg/main/base/"}
	for _, c := range []struct {
		condition string
		request   Request
		want      bool
	}{
		{"ActionMatches{'" + write + "'}", put, true},
		{"ActionMatches{'" + blobs + "/*'}", put, true},
		{"!(ActionMatches{'" + write + "'})", put, false},
		{"ActionMatches{'" + write + "'} AND SubOperationMatches{'Blob.Write.Tier'}", put, false},
		{"ActionMatches{'" + write + "'} AND SubOperationMatches{'Blob.Write.Tier'}", tier, true},
		{"ActionMatches{'" + write + "'} AND NOT SubOperationMatches{'Blob.Write.Tier'}", put, true},
		{path + " StringLike 'pg/main/*'", put, true},
		{path + " StringLike 'pg/mai?/*'", put, true},
		{path + " StringLike 'pg/main'", put, false},
		{path + " StringNotLike '*/data.tar'", put, false},
		{path + " StringNotLike '*/backup.info'", put, true},
		{path + " StringNotLike '*/backup.info'", list, false}, // it has no path
		{"@Request[" + blobs + ":prefix] StringLike 'pg/main/*'", list, true},
		{"(\n !(ActionMatches{'" + read + "'})\n OR (" + path + " StringLike 'x*')\n)", put, true},
	} {
		got, err := parse(c.condition)
		if err != nil {
			t.Errorf("%s: %v", c.condition, err)
			continue
		}
		if got(c.request) != c.want {
			t.Errorf("%s of %+v is not %v", c.condition, c.request, c.want)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, condition := range []string{
		"(", "()", path, path + " StringLike", path + " StringEquals 'a'", "@Resource[Microsoft.Storage/x:path] StringLike 'a'",
		"ActionMatches{}", "ActionMatches{'a'} AND", "ActionMatches{'a'} ActionMatches{'b'}",
		"ActionMatches{'a'} AND ActionMatches{'b'} OR ActionMatches{'c'}", "ActionMatches{'a'} XOR ActionMatches{'b'}",
		"ActionMatches{'" + strings.Repeat("a", 9000) + "'}",
	} {
		if err := (Assignment{DataActions: []string{read}, Condition: condition}).Check(); err == nil {
			t.Errorf("%.60s was understood", condition)
		}
		if (Assignment{DataActions: []string{read}, Condition: condition}).Allows(Request{Action: read}) {
			t.Errorf("%.60s lets a request through", condition)
		}
	}
}

func FuzzConditions(f *testing.F) {
	f.Add("(!(ActionMatches{'a'})) OR (" + path + " StringLike 'b*')")
	f.Fuzz(func(_ *testing.T, condition string) {
		if t, err := parse(condition); err == nil {
			t(Request{Action: read, Path: "p"})
		}
	})
}
