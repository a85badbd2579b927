package terraform_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

// alarmName finds the alarms of the module for AWS: those with a name of their own, and those that are made of a map.
var alarmName = regexp.MustCompile(`alarm_name += "\$\{var\.name\}-([a-z-]+?)(?:-\$\{each\.key\})?"|^ {4}([a-z]+) += \{ metric =`)

// TestEveryAlarmIsExplained: docs/operations.md says of every alarm what happened and what to do.
func TestEveryAlarmIsExplained(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(tftest.Root(), "aws", "alarms.tf"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(tftest.Root(), "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(source)) {
		m := alarmName.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		found++
		name := m[1] + m[2]
		if row := regexp.MustCompile("(?m)^\\| `" + name + "(-SERVER)?` \\| [^|]+ \\| [^|]+ \\|$"); !row.Match(page) {
			t.Errorf("docs/operations.md does not say what %s means and what to do", name)
		}
	}
	if found < 9 {
		t.Errorf("only %d alarms were found in alarms.tf", found)
	}
}
