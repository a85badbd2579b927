package option

import (
	"fmt"
	"strings"
)

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion for pgseal, made from its option table\n")
	b.WriteString("complete -c pgseal -f\n")
	for _, c := range Commands {
		fmt.Fprintf(&b, "complete -c pgseal -n '__fish_is_nth_token 1' -a %s -d %s\n", c.Name, inShell(c.Summary))
	}
	b.WriteString("complete -c pgseal -n '__fish_is_nth_token 1' -s h -l help -d 'show the commands'\n")
	b.WriteString("complete -c pgseal -n '__fish_is_nth_token 1' -s V -l version -d 'show the version'\n")
	for _, c := range Commands {
		fishOptions(&b, c, fmt.Sprintf("complete -c pgseal -n '__fish_seen_subcommand_from %s'", c.Name))
	}
	return b.String()
}

// fishBarman is the file for one of barman's names.
func fishBarman(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion, for a link of this name to pgseal\ncomplete -c %s -f\n", c.Barman)
	fishOptions(&b, c, "complete -c "+c.Barman)
	return b.String()
}

func fishOptions(b *strings.Builder, c *Command, head string) {
	for _, o := range c.shown() {
		line := head
		for _, n := range o.names() {
			if name, long := strings.CutPrefix(n, "--"); long {
				line += " -l " + name
			} else {
				line += " -s " + n[1:]
			}
		}
		switch w := whatCompletes(placeholder(o)); {
		case o.Kind == Choice:
			line += " -x -a " + inShell(strings.Join(o.Choices, " "))
		case !o.takesValue():
		case w == files:
			line += " -r -F"
		case w == directories:
			line += " -x -a '(__fish_complete_directories)'"
		default:
			line += " -x"
		}
		b.WriteString(line + " -d " + inShell(o.Help) + "\n")
	}
	switch c.argsComplete() {
	case files:
		b.WriteString(head + " -F\n")
	case directories:
		b.WriteString(head + " -a '(__fish_complete_directories)'\n")
	}
}
