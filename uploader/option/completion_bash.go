package option

import (
	"fmt"
	"slices"
	"strings"
)

// bashCompletion completes commands, options, and values where they can be known. Bash takes words apart at = and :, so
// --format=json comes as three words.
func bashCompletion() string {
	var b strings.Builder
	b.WriteString(`# bash completion for pgseal, made from its option table

_pgseal() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=''
	local options='' values='' arguments=''
	COMPREPLY=()
	if [[ $current == = ]]; then
		current=''
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case ${COMP_WORDS[0]##*/} in
`)
	for _, c := range Commands {
		if c.Barman != "" {
			fmt.Fprintf(&b, "	%s) command=%s ;;\n", c.Barman, c.Name)
		}
	}
	var names []string
	for _, c := range Commands {
		names = append(names, c.Name)
	}
	fmt.Fprintf(&b, `	*)
		if ((COMP_CWORD == 1)) || [[ $COMP_CWORD == 2 && $before == help ]]; then
			mapfile -t COMPREPLY < <(compgen -W '%s help --help --version' -- "$current")
			return
		fi
		command=${COMP_WORDS[1]}
		;;
	esac
	case $command in
`, strings.Join(names, " "))
	for _, c := range Commands {
		bashCommand(&b, c)
	}
	b.WriteString(`	*) return ;;
	esac
	case $values in
	@files)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	@directories)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		;;
	?*) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current") ;;
	*)
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
		elif [[ $arguments == @files ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
		elif [[ $arguments == @directories ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$current")
		fi
		;;
	esac
}
complete -F _pgseal pgseal
`)
	b.WriteString("# Under barman's names only where they are pgseal.\n")
	fmt.Fprintf(&b, `for _pgseal_name in %s; do
	[[ $(type -P "$_pgseal_name") -ef $(type -P pgseal) ]] && complete -F _pgseal "$_pgseal_name"
done
unset _pgseal_name
`, strings.Join(barmanNames(), " "))
	return b.String()
}

// bashCommand writes the branch of one command: its options, and what follows one that takes a value.
func bashCommand(b *strings.Builder, c *Command) {
	var long []string
	values := map[string][]string{} // what is offered, by the names after which it is
	var order []string
	for _, o := range c.shown() {
		for _, n := range o.names() {
			if strings.HasPrefix(n, "--") {
				long = append(long, n)
			}
		}
		if !o.takesValue() {
			continue
		}
		offer := "@none"
		if o.Kind == Choice {
			offer = strings.Join(o.Choices, " ")
		} else if w := whatCompletes(placeholder(o)); w != nothing {
			offer = bashOffer(w)
		}
		if !slices.Contains(order, offer) {
			order = append(order, offer)
		}
		values[offer] = append(values[offer], o.names()...)
	}
	fmt.Fprintf(b, "	%s)\n		options='%s'\n", c.Name, strings.Join(long, " "))
	if w := c.argsComplete(); w != nothing {
		fmt.Fprintf(b, "		arguments=%s\n", bashOffer(w))
	}
	b.WriteString("		case $before in\n")
	for _, offer := range order {
		if offer == "@none" {
			fmt.Fprintf(b, "		%s) return ;;\n", strings.Join(values[offer], " | "))
		} else {
			fmt.Fprintf(b, "		%s) values='%s' ;;\n", strings.Join(values[offer], " | "), offer)
		}
	}
	b.WriteString("		esac\n		;;\n")
}

func bashOffer(w completes) string {
	if w == files {
		return "@files"
	}
	return "@directories"
}

// bashBarman is loaded for one of barman's names by that name: bash-completion knows only files named after commands.
const bashBarman = `# bash completion, for a link of this name to pgseal
source "${BASH_SOURCE[0]%/*}/pgseal"
`
