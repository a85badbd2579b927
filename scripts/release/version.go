package main

import (
	"regexp"
	"strings"
)

var (
	number    = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)(.*)$`)
	described = regexp.MustCompile(`^-(\d+)-g([0-9a-f]+)$`)
)

// number is the version as files are named after it, without the v.
func (r *release) number() string { return strings.TrimPrefix(r.version, "v") }

// packageVersion is the version as both dpkg and rpm order it: without hyphens, v1.2.3-rc.1 before v1.2.3, commits after
// a tag behind it, and what was never tagged before everything.
func (r *release) packageVersion() string {
	m := number.FindStringSubmatch(r.version)
	if m == nil {
		return "0~" + r.date.Format("20060102") + "." + strings.ReplaceAll(r.version, "-", ".")
	}
	if d := described.FindStringSubmatch(m[2]); d != nil {
		return m[1] + "+" + d[1] + "." + d[2]
	}
	return m[1] + strings.NewReplacer("-", "~", "+", ".").Replace(m[2])
}
