package option

import (
	"fmt"
	"strings"
)

func zshCompletion() string {
	var b strings.Builder
	b.WriteString(`#compdef pgseal
# zsh completion for pgseal, made from its option table

_pgseal() {
	local command
	local -a commands
	case $service in
`)
	for _, c := range Commands {
		if c.Barman != "" {
			fmt.Fprintf(&b, "	%s) command=%s ;;\n", c.Barman, c.Name)
		}
	}
	b.WriteString(`	*)
		if ((CURRENT == 2)) || [[ $CURRENT == 3 && ${words[2]} == help ]]; then
			commands=(
`)
	for _, c := range Commands {
		fmt.Fprintf(&b, "				%s\n", inShell(c.Name+":"+c.Summary))
	}
	b.WriteString(`			)
			_describe -t commands command commands
			((CURRENT == 3)) || _values option '--help[show the commands]' '--version[show the version]'
			return
		fi
		command=${words[2]}
		shift words
		((CURRENT--))
		;;
	esac
	case $command in
`)
	for _, c := range Commands {
		fmt.Fprintf(&b, "	%s)\n		_arguments -s", c.Name)
		for _, o := range c.shown() {
			b.WriteString(" \\\n			" + zshOption(c, o))
		}
		for _, a := range c.Args {
			colon := ":"
			if a.Optional {
				colon = "::"
			}
			action := zshAction(whatCompletes(a.Name))
			if action == zshMessage {
				action = "( )" // a message would keep an option that is typed here from being completed
			}
			b.WriteString(" \\\n			" + inShell(colon+a.Name+":"+action))
		}
		b.WriteString("\n		;;\n")
	}
	b.WriteString("	esac\n}\n\n_pgseal \"$@\"\n")
	return b.String()
}

// zshOption is an option as _arguments reads it: what it excludes, its names, its explanation, its value.
func zshOption(c *Command, o *Option) string {
	explanation := "[" + strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(o.Help) + "]"
	value := ""
	if o.takesValue() {
		action := zshAction(whatCompletes(placeholder(o)))
		if o.Kind == Choice {
			action = "(" + strings.ReplaceAll(strings.Join(o.Choices, " "), ":", `\:`) + ")"
		}
		value = ":" + o.Name + ":" + action
	}
	repeats := o.Kind == Count || o.Kind == Tags || o.Kind == List
	var excludes []string
	for _, other := range c.shown() {
		if other == o && !repeats || other != o && o.Exclusive != "" && other.Exclusive == o.Exclusive {
			excludes = append(excludes, other.names()...)
		}
	}
	head := ""
	if repeats {
		head = "*"
	} else if len(excludes) > 0 {
		head = "(" + strings.Join(excludes, " ") + ")"
	}
	var forms []string
	for _, n := range o.names() {
		if o.takesValue() && strings.HasPrefix(n, "--") {
			n += "="
		} else if o.takesValue() {
			n += "+"
		}
		forms = append(forms, inShell(head+n+explanation+value))
	}
	return strings.Join(forms, " ")
}

func zshAction(w completes) string {
	switch w {
	case files:
		return "_files"
	case directories:
		return "_files -/"
	}
	return zshMessage
}

// zshMessage is the action that says what is to be typed.
const zshMessage = " "

// zshBarman brings barman's names to the same function.
func zshBarman() string {
	return "#compdef " + strings.Join(barmanNames(), " ") + `
# zsh completion, for links of these names to pgseal
autoload -Uz _pgseal
_pgseal "$@"
`
}
