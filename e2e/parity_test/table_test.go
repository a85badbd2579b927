package parity_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/option"
)

// page is the table that this package is the proof of.
const page = "../../docs/parity.md"

// row is one line of the table: command, what of it, how pgseal does it, and the case here (or the test elsewhere, as
// "package: Test") that shows it.
type row struct{ command, what, how, proof string }

func rows(t *testing.T) (all []row) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.HasPrefix(line, "| `") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, row{strings.Trim(cells[0], "`"), cells[1], cells[2], strings.Trim(cells[3], "`")})
	}
	return all
}

// cases are the proofs, by the names that the table gives them.
var cases = map[string]func(t *testing.T, s *scene){}

// TestParity runs the case of every row. A row without one fails, and so does a case that no row names.
func TestParity(t *testing.T) {
	s := newScene(t)
	named := map[string]bool{}
	for _, r := range rows(t) {
		if strings.Contains(r.proof, ": Test") || named[r.proof] {
			continue // elsewhere, or run for another row
		}
		named[r.proof] = true
		prove := cases[r.proof]
		if prove == nil {
			t.Errorf("%s, %s: there is no case %q", r.command, r.what, r.proof)
			continue
		}
		t.Run(r.proof, func(t *testing.T) { t.Parallel(); prove(t, s) })
	}
	for name := range cases {
		if !named[name] {
			t.Errorf("no row of %s names the case %q", page, name)
		}
	}
}

// TestProofsElsewhereExist: those are tests of the packages that the table names.
func TestProofsElsewhereExist(t *testing.T) {
	for _, r := range rows(t) {
		dir, name, elsewhere := strings.Cut(r.proof, ": Test")
		name = "Test" + name
		if !elsewhere {
			continue
		}
		files, err := os.ReadDir("../../" + dir)
		if err != nil {
			t.Errorf("%s, %s: %v", r.command, r.what, err)
			continue
		}
		if !slices.ContainsFunc(files, func(f os.DirEntry) bool {
			text, _ := os.ReadFile("../../" + dir + "/" + f.Name())
			return strings.HasSuffix(f.Name(), "_test.go") && strings.Contains(string(text), "func "+name+"(t *testing.T)")
		}) {
			t.Errorf("%s, %s: %s has no %s", r.command, r.what, dir, name)
		}
	}
}

var flagName = regexp.MustCompile("`(--?[a-z][a-zA-Z0-9-]*)`")

// TestTheTableHasEveryFlag: of barman's commands all flags that pgseal knows stand in the table, and nothing else.
func TestTheTableHasEveryFlag(t *testing.T) {
	told := map[string][]string{}
	for _, r := range rows(t) {
		for _, found := range flagName.FindAllStringSubmatch(r.what, -1) {
			told[r.command] = append(told[r.command], found[1])
		}
	}
	common := told["all"]
	for _, c := range option.Commands {
		if c.Barman == "" {
			continue
		}
		known := map[string]bool{}
		for _, o := range c.Options() {
			known["--"+o.Name] = true
			if o.Refused() {
				continue // disk snapshots: one row says so
			}
			name := "--" + o.Name
			if !slices.Contains(told[c.Name], name) && !slices.Contains(common, name) {
				t.Errorf("%s %s is not in %s", c.Name, name, page)
			}
		}
		for _, name := range told[c.Name] {
			if strings.HasPrefix(name, "--") && !known[name] {
				t.Errorf("%s says something of %s %s, which pgseal does not have", page, c.Name, name)
			}
		}
		delete(told, c.Name)
	}
	delete(told, "all")
	for name := range told {
		t.Errorf("%s says something of %q, which is no command of barman's", page, name)
	}
}

// flagsOfStock prints the long flags of each of barman-cloud's programs.
const flagsOfStock = `
import argparse, importlib, json
def parse_args(self, args=None):
    found.extend(name for name in self._option_string_actions if name.startswith("--"))
    raise SystemExit
argparse.ArgumentParser.parse_args = parse_args
out = {}
for name in ["backup", "wal_archive", "wal_restore", "restore", "backup_list", "backup_show", "backup_keep", "backup_delete", "check_wal_archive"]:
    found = []
    module = importlib.import_module("barman.clients.cloud_" + {"wal_archive": "walarchive", "wal_restore": "walrestore"}.get(name, name))
    try:
        module.parse_arguments([])
    except SystemExit:
        pass
    out["barman-cloud-" + name.replace("_", "-")] = found
print(json.dumps(out))
`

// TestPgsealKnowsEveryFlagOfStock: what Debian's barman-cloud understands, pgseal understands or refuses with a reason.
func TestPgsealKnowsEveryFlagOfStock(t *testing.T) {
	out, err := exec.Command("/usr/bin/python3", "-c", flagsOfStock).Output()
	if err != nil {
		t.Fatal(err)
	}
	var stock map[string][]string
	if err := json.Unmarshal(out, &stock); err != nil || len(stock) != 9 {
		t.Fatal(err, stock)
	}
	for _, c := range option.Commands {
		if c.Barman == "" {
			continue
		}
		known := map[string]bool{}
		for _, o := range c.Options() {
			known["--"+o.Name] = true
			for _, alias := range o.Aliases {
				known["--"+alias] = true
			}
		}
		if len(stock[c.Barman]) < 8 {
			t.Errorf("%s has %q", c.Barman, stock[c.Barman])
		}
		for _, name := range stock[c.Barman] {
			if !known[name] {
				t.Errorf("%s has %s", c.Barman, name)
			}
		}
		delete(stock, c.Barman)
	}
	for name := range stock {
		t.Errorf("pgseal does not stand in for %s", name)
	}
}
