package pgtest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Install is one installed PostgreSQL: a major version and where its programs are.
type Install struct {
	Major  int
	BinDir string
}

// Program is the path of one of the installation's programs. Only distribution packages hold the client programs
// (pgbench, pg_checksums, psql); every installation holds initdb, pg_ctl and postgres.
func (i Install) Program(name string) string { return filepath.Join(i.BinDir, name) }

// Has says whether the installation holds a program.
func (i Install) Has(name string) bool {
	info, err := os.Stat(i.Program(name))
	return err == nil && info.Mode().IsRegular()
}

func (i Install) String() string { return "PostgreSQL " + strconv.Itoa(i.Major) }

// Installs lists the servers found, one for each major version, oldest first. A distribution's packages
// (/usr/lib/postgresql/<major>) win over those that scripts/install-deps put into its cache.
func Installs() []Install {
	found := map[int]Install{}
	for _, pattern := range []string{
		filepath.Join(cacheDir(), "postgresql", "*", "bin"),
		"/usr/lib/postgresql/*/bin",
	} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // the pattern is fixed but for the cache's path
		}
		for _, dir := range dirs {
			major, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
			i := Install{Major: major, BinDir: dir}
			if err == nil && i.Has("initdb") && i.Has("postgres") {
				found[major] = i
			}
		}
	}
	var all []Install
	for _, i := range found {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Install) int { return cmp.Compare(a.Major, b.Major) })
	return all
}

// Find returns the installation of a major version and fails the test when there is none.
func Find(t testing.TB, major int) Install {
	t.Helper()
	var have []string
	for _, i := range Installs() {
		if i.Major == major {
			return i
		}
		have = append(have, strconv.Itoa(i.Major))
	}
	t.Fatalf("PostgreSQL %d is not installed (found: %s); run scripts/install-deps test",
		major, cmp.Or(strings.Join(have, ", "), "none"))
	return Install{}
}

// clientProgram is the newest installed copy of a program that only distribution packages hold. pgbench and psql work
// with older and newer servers.
func clientProgram(name string) (string, error) {
	all := Installs()
	for _, i := range slices.Backward(all) {
		if i.Has(name) {
			return i.Program(name), nil
		}
	}
	return "", fmt.Errorf("%s is not installed; run scripts/install-deps test", name)
}

// cacheDir is where scripts/install-deps keeps the servers that the distribution does not have.
func cacheDir() string { return cmp.Or(os.Getenv("PGSEAL_CACHE"), "/var/tmp/pgseal-cache") }
