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

// Alarms on Google Cloud go by their titles, and those on Azure by the last part of their names.
var (
	googleTitle = regexp.MustCompile(`(?m)^ +title += "([^"]+)"|^ {2}display_name += "\$\{var\.name\}: ([a-z ,-]+?)(?: of \$\{each\.key\}.*)?"`)
	azureName   = regexp.MustCompile(`(?m)^ {2}name += "\$\{var\.name\}-([a-z-]+)"|^ {4}([a-z_]+) = \{$`)
)

// TestEveryAlarmOfTheOtherCloudsIsExplained: the table of both has a row for each.
func TestEveryAlarmOfTheOtherCloudsIsExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(tftest.Root(), "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for cloud, c := range map[string]struct {
		name  *regexp.Regexp
		row   string // with the name's place
		least int
	}{
		"gcp":   {googleTitle, "(?m)^\\| NAME(?: of SERVER)? \\| [^|]*\\| [^|]+ \\| [^|]+ \\|$", 7},
		"azure": {azureName, "(?m)^\\| [^|]*\\| `NAME`[^|]* \\| [^|]+ \\| [^|]+ \\|$", 9},
	} {
		source, err := os.ReadFile(filepath.Join(tftest.Root(), cloud, "alarms.tf"))
		if err != nil {
			t.Fatal(err)
		}
		all := c.name.FindAllStringSubmatch(string(source), -1)
		for _, m := range all {
			name := strings.ReplaceAll(m[1]+m[2], "_", "-")
			if !regexp.MustCompile(strings.ReplaceAll(c.row, "NAME", regexp.QuoteMeta(name))).Match(page) {
				t.Errorf("%s: docs/operations.md does not say what %q means and what to do", cloud, name)
			}
		}
		if len(all) < c.least {
			t.Errorf("%s: only %d alarms were found in alarms.tf", cloud, len(all))
		}
	}
}
