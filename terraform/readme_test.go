package terraform_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

// Between these two lines a module's README holds the tables that are made from its variables and outputs.
const (
	tablesBegin = "<!-- Made from variables.tf and outputs.tf: go test ./terraform -run TestReadmes -update -->\n"
	tablesEnd   = "<!-- End of what is made. -->\n"
)

// TestReadmes: every module's README lists its inputs and outputs as they are.
func TestReadmes(t *testing.T) {
	for _, name := range tftest.All(t) {
		if strings.Contains(name, "/examples/") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(tftest.Root(), filepath.FromSlash(name))
			path := filepath.Join(dir, "README.md")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := tablesBegin + tables(t, dir) + tablesEnd
			before, rest, found := strings.Cut(string(text), tablesBegin)
			have, after, ended := strings.Cut(rest, tablesEnd)
			if found && ended && tablesBegin+have+tablesEnd == want {
				return
			}
			if !*update {
				t.Fatalf("the tables in %s/README.md are not those of its variables and outputs: go test ./terraform -run TestReadmes -update", name)
			}
			if !found || !ended {
				before, after = string(text)+"\n", ""
			}
			write(t, path, before+want+after)
		})
	}
}

// block is a variable or an output.
type block struct {
	name       string
	attributes map[string]string // as they are written
}

var (
	blockStart = regexp.MustCompile(`^(variable|output) "([^"]+)" \{$`)
	continued  = regexp.MustCompile(`^    |^  [)\]}]`)
	attribute  = regexp.MustCompile(`^  ([a-z_]+) += (.*)$`)
)

// blocks reads the blocks of a file that terraform fmt has formatted: a block begins and ends at the margin, its attributes
// are two spaces in, and what belongs to one of them is further in or closes it.
func blocks(t *testing.T, path string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := blockStart.FindStringSubmatch(line); m != nil {
			all, last = append(all, block{m[2], map[string]string{}}), ""
			continue
		}
		if len(all) == 0 {
			continue
		}
		b := all[len(all)-1]
		switch m := attribute.FindStringSubmatch(line); {
		case m != nil:
			last = m[1]
			b.attributes[last] = m[2]
		case last != "" && continued.MatchString(line):
			have, more := b.attributes[last], strings.TrimSpace(line)
			if !strings.ContainsAny(have[len(have)-1:], "([{,") && !strings.ContainsAny(more[:1], ")]}") {
				have += ","
			}
			b.attributes[last] = have + " " + more
		default:
			last = ""
		}
	}
	return all
}

// tables are a module's inputs and outputs as Markdown.
func tables(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("\n## Inputs\n\n| name | type | default | meaning |\n|---|---|---|---|\n")
	for _, v := range blocks(t, filepath.Join(dir, "variables.tf")) {
		value, optional := v.attributes["default"]
		if optional {
			value = code(value)
		} else {
			value = "required"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", v.name, code(v.attributes["type"]), value, sentence(t, v))
	}
	out.WriteString("\n## Outputs\n\n| name | meaning |\n|---|---|\n")
	for _, o := range blocks(t, filepath.Join(dir, "outputs.tf")) {
		fmt.Fprintf(&out, "| `%s` | %s |\n", o.name, sentence(t, o))
	}
	return out.String() + "\n"
}

// code is an expression as code in a cell of a table.
func code(s string) string {
	return "`" + strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "\\|") + "`"
}

// sentence is a block's description, which is a plain string.
func sentence(t *testing.T, b block) string {
	t.Helper()
	text := b.attributes["description"]
	if len(text) < 3 || text[0] != '"' || text[len(text)-1] != '"' {
		t.Errorf("%s has no description that is one string", b.name)
		return ""
	}
	return strings.NewReplacer("|", "\\|", "*", "\\*", `\"`, `"`).Replace(text[1 : len(text)-1])
}
