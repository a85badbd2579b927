package option

import (
	"fmt"
	"strings"
)

// Markdown returns the documentation of the command: its arguments and options as tables, under headings of the third
// level.
func Markdown(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## pgseal %s\n\n", c.Name)
	if c.Barman != "" {
		fmt.Fprintf(&b, "Also: `%s`, when the program is called by that name.\n\n", c.Barman)
	}
	fmt.Fprintf(&b, "%s\n\n### Arguments\n\n| Argument | Meaning |\n|---|---|\n", c.Description)
	for _, a := range c.Args {
		name := "`" + a.Name + "`"
		if a.Optional {
			name += ", optional"
		}
		row(&b, name, a.Help)
	}
	for _, g := range c.groups() {
		fmt.Fprintf(&b, "\n### Options: %s\n\n| Option | Default | Environment | Meaning |\n|---|---|---|---|\n", g.name)
		for _, o := range g.options {
			names := make([]string, 0, 4)
			for _, n := range o.names() {
				names = append(names, "`"+n+"`")
			}
			name := strings.Join(names, ", ")
			if o.takesValue() {
				name += " " + code(placeholder(o))
			}
			row(&b, name, code(o.Default), code(o.Env), o.Help)
		}
	}
	b.WriteString("\n### Environment\n\n| Variable | Meaning |\n|---|---|\n")
	for _, v := range c.variables() {
		row(&b, "`"+strings.ReplaceAll(v.Name, ", ", "`, `")+"`", v.Help)
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
