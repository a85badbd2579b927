package audit

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var codePattern = regexp.MustCompile(`(?:Code: |bad\((?:Warning|Critical), )"([a-z-]+)"`)

func TestEveryCodeStandsInTheOperationsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range codePattern.FindAllStringSubmatch(string(source), -1) {
			if found++; !strings.Contains(string(page), "`"+m[1]+"`") {
				t.Errorf("docs/operations.md does not explain `%s`", m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d codes were found", found)
	}
}
