package option

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheTableIsSound(t *testing.T) {
	for _, c := range Commands {
		names := map[string]bool{}
		headings := map[string]bool{}
		for _, g := range c.groups() {
			if headings[g.name] {
				t.Errorf("%s: the heading %q comes twice", c.Name, g.name)
			}
			headings[g.name] = true
		}
		for _, o := range c.Options() {
			for _, n := range o.names() {
				if names[n] {
					t.Errorf("%s: %s is there twice", c.Name, n)
				}
				names[n] = true
			}
			if o.Help == "" || o.Group == "" {
				t.Errorf("%s --%s has no help or no heading", c.Name, o.Name)
			}
			if o.takesValue() && o.Kind != refused && placeholder(o) == "" {
				t.Errorf("%s --%s has no placeholder", c.Name, o.Name)
			}
			if o.Env != "" && !o.Own {
				t.Errorf("%s --%s is barman's, and barman reads no variable for it", c.Name, o.Name)
			}
			if o.Into != "" && (c.option(o.Into) == nil || c.option(o.Into).Kind != o.Kind) {
				t.Errorf("%s --%s goes nowhere", c.Name, o.Name)
			}
		}
		args := make([]string, len(c.Args))
		for i := range args {
			args[i] = "x"
		}
		if _, err := c.Parse(args, none); err != nil {
			t.Errorf("%s: the defaults do not parse: %v", c.Name, err)
		}
	}
}

func TestHelpIsCompleteAndFits(t *testing.T) {
	for _, c := range Commands {
		text := c.Help("pgseal " + c.Name)
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 100 || strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
				t.Errorf("%s: %q is too long or ends in blanks", c.Name, line)
			}
		}
		page := Markdown(c)
		for _, o := range c.Options() {
			if shown := o.Kind != refused; strings.Contains(text, "--"+o.Name+",") != shown && strings.Contains(text, "--"+o.Name+" ") != shown {
				t.Errorf("%s --%s: shown in the help %v", c.Name, o.Name, !shown)
			} else if strings.Contains(page, "`--"+o.Name+"`") != shown {
				t.Errorf("%s --%s: shown in the page %v", c.Name, o.Name, !shown)
			}
			if o.Env != "" && (!strings.Contains(text, o.Env) || !strings.Contains(page, o.Env)) {
				t.Errorf("%s: %s is not named", c.Name, o.Env)
			}
		}
	}
	if text := Overview("pgseal"); !strings.Contains(text, "wal-archive") {
		t.Error(text)
	}
}

func TestMarkdownRowsHaveTheirCells(t *testing.T) {
	for _, c := range Commands {
		columns := 0
		for line := range strings.Lines(Markdown(c)) {
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if strings.HasPrefix(line, "|---") {
				columns = cells
			}
			if cells == 0 {
				columns = 0
			}
			if columns > 0 && cells != columns {
				t.Errorf("%s: %q", c.Name, line)
			}
		}
	}
}

func TestAWrongGetterPanics(t *testing.T) {
	v := backupArgs(t)
	for name, call := range map[string]func(){
		"an option of another command": func() { v.Bool("check") },
		"an argument that is not":      func() { v.Arg("ID") },
		"the wrong type":               func() { v.String("jobs") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s gives an answer", name)
				}
			}()
			call()
		}()
	}
}
