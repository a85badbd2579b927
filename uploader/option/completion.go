package option

import (
	"slices"
	"strings"
)

// Completion is a file with which a shell completes what is typed.
type Completion struct {
	Path string // below /usr/share, where packages of Debian put it
	Text string
}

// Completions returns the completion files for bash, zsh and fish, and, with links, those for the names of barman's
// under which the program may be called. The links need the files beside them.
func Completions() (files, links []Completion) {
	files = []Completion{
		{"bash-completion/completions/pgseal", bashCompletion()},
		{"zsh/vendor-completions/_pgseal", zshCompletion()},
		{"fish/vendor_completions.d/pgseal.fish", fishCompletion()},
	}
	links = append(links, Completion{"zsh/vendor-completions/_barman-cloud-pgseal", zshBarman()})
	for _, c := range Commands {
		if c.Barman != "" {
			links = append(links,
				Completion{"bash-completion/completions/" + c.Barman, bashBarman},
				Completion{"fish/vendor_completions.d/" + c.Barman + ".fish", fishBarman(c)})
		}
	}
	return files, links
}

// barmanNames are the names under which the program is another one.
func barmanNames() []string {
	var names []string
	for _, c := range Commands {
		if c.Barman != "" {
			names = append(names, c.Barman)
		}
	}
	return names
}

// completes is what stands for a value: the files that there are, the directories, or nothing that a shell could know.
type completes int

const (
	nothing completes = iota
	files
	directories
)

// whatCompletes goes by the words that stand for values in the help.
func whatCompletes(placeholder string) completes {
	switch {
	case placeholder == "DIR" || strings.HasSuffix(placeholder, "_DIR"):
		return directories
	case placeholder == "FILE" || placeholder == "PATH" || strings.HasSuffix(placeholder, "_FILE") || strings.HasSuffix(placeholder, "_PATH") || strings.HasSuffix(placeholder, "_DEST"):
		return files
	}
	return nothing
}

// argsComplete is what any of the command's arguments can be completed with.
func (c *Command) argsComplete() completes {
	best := nothing
	for _, a := range c.Args {
		if w := whatCompletes(a.Name); w != nothing {
			best = w
		}
	}
	return best
}

// shown returns the options that are offered.
func (c *Command) shown() []*Option {
	return slices.DeleteFunc(c.Options(), func(o *Option) bool { return o.Kind == refused })
}

// inShell quotes a text for a POSIX shell, and for fish if there is no backslash in it.
func inShell(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
