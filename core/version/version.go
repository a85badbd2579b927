// Package version tells which build of pgseal this is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamped is set by the release build: -ldflags "-X .../core/version.stamped=1.2.3".
var stamped string

// commit is set likewise, to the whole name of the commit.
var commit string

// String is the release's version; else what Go knows of the module or of the
// commit it was built from; else "devel".
func String() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	if c, _ := revision(); len(c) >= 12 {
		return "devel-" + c[:12]
	}
	return "devel"
}

// Build is one line about the build: its commit, Go's release, and what it runs on.
func Build() string {
	from := "commit unknown"
	if c, modified := revision(); c != "" {
		from = "commit " + c
		if modified {
			from += " and changes"
		}
	}
	return fmt.Sprintf("%s, %s, %s/%s", from, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// revision is the commit as it was stamped, else as Go found it, and whether
// the work tree held more.
func revision() (name string, modified bool) {
	if commit != "" {
		return commit, false
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			name = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	return name, modified
}
