package option

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	helpWidth  = 98 // no line is longer
	helpIndent = 26 // where the explanations begin
)

// Usage returns the command's synopsis, with a newline at the end. prog is how the command was called.
func (c *Command) Usage(prog string) string {
	head := "usage: " + prog
	words := []string{}
	done := map[string]bool{}
	for _, o := range c.Options() {
		if o.Kind == refused || o.Exclusive != "" && done[o.Exclusive] {
			continue
		}
		alternatives := []string{brief(o)}
		if o.Exclusive != "" {
			done[o.Exclusive] = true
			alternatives = nil
			for _, other := range c.Options() {
				if other.Exclusive == o.Exclusive {
					alternatives = append(alternatives, brief(other))
				}
			}
		}
		words = append(words, "["+strings.Join(alternatives, " | ")+"]")
	}
	for _, a := range c.Args {
		if a.Optional {
			words = append(words, "["+a.Name+"]")
		} else {
			words = append(words, a.Name)
		}
	}
	return fill(head, words, min(len(head)+1, helpIndent))
}

// brief is an option in the synopsis: its shortest name and its value.
func brief(o *Option) string {
	name := o.names()[0]
	switch {
	case o.Negatable:
		return name + " | --no-" + o.Name
	case !o.takesValue():
		return name
	case o.Many:
		return name + " " + placeholder(o) + " ..."
	}
	return name + " " + placeholder(o)
}

// placeholder stands for an option's value.
func placeholder(o *Option) string {
	if o.Kind == Choice {
		return "{" + strings.Join(o.Choices, ",") + "}"
	}
	return o.Metavar
}

// Help returns the whole help text of the command. prog is how the command was called.
func (c *Command) Help(prog string) string {
	var b strings.Builder
	b.WriteString(c.Usage(prog))
	b.WriteString("\n" + fill("", strings.Fields(c.Description), 0))
	b.WriteString("\narguments:\n")
	for _, a := range c.Args {
		entry(&b, a.Name, a.Help)
	}
	for _, group := range c.groups() {
		b.WriteString("\n" + group.name + ":\n")
		for _, o := range group.options {
			entry(&b, signature(o), o.explanation())
		}
	}
	b.WriteString("\nenvironment:\n")
	for _, v := range c.variables() {
		entry(&b, v.Name, v.Help)
	}
	return b.String()
}

// variables returns the environment variables that matter to the command besides those of its options.
func (c *Command) variables() []variable {
	var list []variable
	for _, v := range environment {
		if v.in&c.id != 0 {
			list = append(list, v)
		}
	}
	return list
}

type group struct {
	name    string
	options []*Option
}

// groups returns the options that are shown, under their headings.
func (c *Command) groups() []group {
	var list []group
	for _, o := range c.Options() {
		if o.Kind == refused {
			continue
		}
		if len(list) == 0 || list[len(list)-1].name != o.Group {
			list = append(list, group{name: o.Group})
		}
		last := &list[len(list)-1]
		last.options = append(last.options, o)
	}
	return list
}

// signature is all names of an option and its value.
func signature(o *Option) string {
	s := strings.Join(o.names(), ", ")
	if o.takesValue() {
		s += " " + placeholder(o)
	}
	if o.Many {
		s += " ..."
	}
	return s
}

// explanation is the help with what the table knows besides.
func (o *Option) explanation() string {
	s := o.Help
	if o.Default != "" {
		s += fmt.Sprintf(" (default: %s)", o.Default)
	}
	if o.Env != "" {
		s += fmt.Sprintf(" [%s]", o.Env)
	}
	return s
}

func entry(b *strings.Builder, name, help string) {
	head := "  " + name
	if utf8.RuneCountInString(head) > helpIndent-2 {
		b.WriteString(fill("", strings.Fields(name), 2))
		head = ""
	}
	b.WriteString(fill(fmt.Sprintf("%-*s", helpIndent-1, head), strings.Fields(help), helpIndent))
}

// fill writes head and the words, broken into lines of at most helpWidth characters, of which all but the first are
// indented. Without a head the first is indented, too.
func fill(head string, words []string, indent int) string {
	return fillTo(helpWidth, head, words, indent)
}

func fillTo(width int, head string, words []string, indent int) string {
	var b strings.Builder
	line, fresh := head, false
	if head == "" {
		line, fresh = strings.Repeat(" ", indent), true
	}
	for _, w := range words {
		if !fresh && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			b.WriteString(line + "\n")
			line, fresh = strings.Repeat(" ", indent), true
		}
		if !fresh {
			line += " "
		}
		line, fresh = line+w, false
	}
	b.WriteString(line + "\n")
	return b.String()
}

// Overview returns the help text of the program itself.
func Overview(prog string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s COMMAND [OPTIONS] [ARGUMENTS]\n\n", prog)
	b.WriteString("PostgreSQL base backups for storage that keeps what it is given.\n\ncommands:\n")
	for _, c := range Commands {
		entry(&b, c.Name, c.Summary)
	}
	b.WriteString("\n" + fill("", strings.Fields(fmt.Sprintf("%s COMMAND --help explains a command. Called as "+
		"barman-cloud-backup or barman-cloud-wal-archive, through a symbolic link, the program is that command.", prog)), 0))
	b.WriteString("\n" + fill("", strings.Fields("Exit codes, as in barman-cloud: 0 done; 1 failed or interrupted; 2 no answer from the store "+
		"(--test only); 3 bad arguments; 4 a mistake in pgseal. A backup that is uploaded and not sealed: 10 waiting, 11 rejected, "+
		"12 conflict, 13 no verdict in time. status --check has a monitoring plugin's codes."), 0))
	return b.String()
}
