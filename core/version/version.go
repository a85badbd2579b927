// Package version tells which build of pgseal this is.
package version

import "runtime/debug"

// stamped is set by the release build: -ldflags "-X .../core/version.stamped=1.2.3".
var stamped string

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
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
