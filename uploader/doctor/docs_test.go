package doctor

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The page has a row for each check, in the order of the report, and for nothing else.
func TestEveryCheckStandsInTheOperationsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\n## Looking at a deployment\n(.*?)\n## `).FindSubmatch(page)
	if section == nil {
		t.Fatal("docs/operations.md has no such section")
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| [^|]+ \\| [^|]+ \\|$").FindAllSubmatch(section[1], -1) {
		rows = append(rows, string(m[1]))
	}
	if !slices.Equal(rows, Checks) {
		t.Errorf("the page has %q, and the checks are %q", rows, Checks)
	}
}
