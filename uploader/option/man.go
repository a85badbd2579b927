package option

import (
	"fmt"
	"strings"
)

// ManPage is one page of the manual's section 1.
type ManPage struct{ Name, Text string } // pgseal-backup, and its roff source (macros of man(7))

// ManPages returns the whole manual: the page of the program, one of each command, and, with links, one of each name
// of barman's under which the program may be called. The release and its date (YYYY-MM-DD) stand at the foot of each.
func ManPages(release, date string) (pages, links []ManPage) {
	pages = append(pages, ManPage{"pgseal", manOverview(release, date)})
	for _, c := range Commands {
		pages = append(pages, ManPage{"pgseal-" + c.Name, manCommand(c, release, date)})
		if c.Barman != "" {
			links = append(links, ManPage{c.Barman, ".so man1/pgseal-" + c.Name + ".1\n"})
		}
	}
	return pages, links
}

func manHead(name, summary, release, date string) *roff {
	b := &roff{}
	fmt.Fprintf(b, ".TH %s 1 %s \"pgseal %s\" \"pgseal manual\"\n", strings.ToUpper(name), date, release)
	b.macro("SH", "NAME")
	b.text(name + " - " + summary) // in the form that apropos reads
	return b
}

func manOverview(release, date string) string {
	b := manHead("pgseal", "PostgreSQL base backups for storage that keeps what it is given", release, date)
	b.macro("SH", "SYNOPSIS")
	b.macro("B", "pgseal")
	b.text("COMMAND [OPTIONS] [ARGUMENTS]")
	b.macro("SH", "DESCRIPTION")
	b.text("The uploader streams a base backup into a vault, whose retention lets nothing be replaced or deleted, every object " +
		"once. The finalizer, a cloud function, compares the whole set with what the store itself reports, and then writes one " +
		"backup.info: the seal. The vault is an ordinary barman-cloud catalogue.")
	b.macro("PP")
	b.text("Options may stand before or after the arguments, and long names may be shortened as long as they stay unambiguous. An " +
		"option on the command line wins over its environment variable.")
	b.macro("SH", "COMMANDS")
	for _, c := range Commands {
		b.item("pgseal-" + c.Name + "(1)")
		text := c.Summary
		if c.Barman != "" {
			text += "; also " + c.Barman + ", when the program is called by that name"
		}
		b.text(text)
	}
	b.exitCodes(every &^ plugins)
	b.macro("PP")
	b.text("audit, doctor and status --check have the codes of a monitoring plugin instead: 0 fine, 1 warning, 2 critical, 3 unknown.")
	b.macro("SH", "SEE ALSO")
	b.text("pg_basebackup(1), barman-cloud-backup-list(1), https://github.com/pgseal/pgseal")
	return b.String()
}

func manCommand(c *Command, release, date string) string {
	b := manHead("pgseal-"+c.Name, c.Summary, release, date)
	b.macro("SH", "SYNOPSIS")
	for _, prog := range []string{"pgseal " + c.Name, c.Barman} {
		if prog == "" {
			continue
		}
		if prog == c.Barman {
			b.macro("br")
		}
		b.macro("B", prog)
		b.text(strings.Join(append([]string{"[OPTIONS]"}, c.argNames()...), " "))
	}
	b.macro("SH", "DESCRIPTION")
	b.text(c.Description)
	b.macro("SH", "ARGUMENTS")
	for _, a := range c.Args {
		b.item(a.Name)
		b.text(a.Help)
	}
	b.macro("SH", "OPTIONS")
	for _, g := range c.groups() {
		b.macro("SS", strings.ToUpper(g.name[:1])+g.name[1:])
		for _, o := range g.options {
			b.item(signature(o))
			b.text(o.explanation())
		}
	}
	b.macro("SH", "ENVIRONMENT")
	for _, v := range c.variables() {
		b.item(v.Name)
		b.text(v.Help)
	}
	b.exitCodes(c.id)
	b.macro("SH", "SEE ALSO")
	b.text("pgseal(1)")
	return b.String()
}

// argNames are the arguments as a synopsis has them.
func (c *Command) argNames() []string {
	var names []string
	for _, a := range c.Args {
		if a.Optional {
			names = append(names, "["+a.Name+"]")
		} else {
			names = append(names, a.Name)
		}
	}
	return names
}

// exitCodes are those of the program; what a command answers besides stands in its description.
func (b *roff) exitCodes(in commandSet) {
	b.macro("SH", "EXIT STATUS")
	said := map[int]bool{} // of several commands, what the first says
	for _, e := range exits {
		if e.in&in != 0 && !said[e.code] {
			said[e.code] = true
			b.item(fmt.Sprint(e.code))
			b.text(e.help)
		}
	}
}

// plugins have the exit codes of a monitoring plugin.
const plugins = audit | doctor

// exits are the exit codes, as docs/operations.md explains them.
var exits = []struct {
	code int
	help string
	in   commandSet
}{
	{0, "done; with --wait or an embedded finalizer: sealed", backup | finalize},
	{0, "done", every},
	{1, "failed or interrupted", every &^ plugins},
	{1, "warnings", plugins},
	{2, "with --test only: the store does not answer", uploads | walRestore | restore | catalogue},
	{2, "something critical", plugins},
	{3, "bad arguments, bad environment, or a file that is no WAL", walArchive},
	{3, "bad arguments or environment", every &^ plugins},
	{3, "it could not look, or bad arguments", plugins},
	{4, "a mistake in pgseal", every},
	{10, "uploaded, and the verdict is waiting: WAL is missing", backup | finalize},
	{11, "uploaded, and the verdict is rejected", backup | finalize},
	{12, "uploaded, and the verdict is conflict: another backup.info stands there", backup | finalize},
	{13, "uploaded, and no verdict within --wait-timeout", backup},
	{14, "the backup did not come back, and the proof says why", drill},
	{255, "it could not be told whether the archive has the file, and PostgreSQL must stop", walRestore},
}

// roff writes a page with the macros of man(7), a sentence's text always on lines of its own.
type roff struct{ strings.Builder }

// macro writes one request with its arguments.
func (b *roff) macro(name string, args ...string) {
	b.WriteString("." + name)
	for _, a := range args {
		b.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	b.WriteString("\n")
}

// item begins an entry of a list under a bold head.
func (b *roff) item(head string) {
	b.macro("TP")
	b.macro("B", head)
}

// text writes a paragraph's lines, which the formatter fills.
func (b *roff) text(s string) {
	for line := range strings.Lines(fillTo(72, "", strings.Fields(s), 0)) {
		line = escape(line)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		b.WriteString(line)
	}
}

// escape: a dash is one that can be copied into a shell, and a backslash is itself.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}
