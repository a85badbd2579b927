package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Programs are those of one installed PostgreSQL.
type Programs struct {
	Dir     string
	Version string // "15.18"
}

func (p Programs) path(name string) string { return filepath.Join(p.Dir, name) }

// has tells whether a program is there: not every installation has pg_verifybackup and pg_amcheck.
func (p Programs) has(name string) bool {
	info, err := os.Stat(p.path(name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// findPrograms looks for PostgreSQL of the backup's major version.
func (h *held) findPrograms(ctx context.Context) (Programs, error) {
	major := h.backup.Info.Version / 10000
	if major < 13 {
		return Programs{}, fmt.Errorf("%w: backup %s is of PostgreSQL %d; a drill can be held from 13 on", ErrPrograms, h.proof.BackupID, major)
	}
	p, err := FindPrograms(ctx, h.BinDir, major)
	if err != nil {
		return p, err
	}
	if h.Amcheck == Yes && !p.has("pg_amcheck") {
		return p, fmt.Errorf("%w: there is no pg_amcheck in %s (PostgreSQL has it from 14 on); leave --amcheck out", ErrPrograms, p.Dir)
	}
	return p, nil
}

// FindPrograms finds the programs of a major version: in dir if one is named, else where Debian's and PGDG's packages have
// them, then beside the postgres of PATH. ErrPrograms when they are not there, or of another version.
func FindPrograms(ctx context.Context, dir string, major int) (Programs, error) {
	places := []string{dir}
	if dir == "" {
		places = []string{fmt.Sprintf("/usr/lib/postgresql/%d/bin", major), fmt.Sprintf("/usr/pgsql-%d/bin", major)}
		if path, err := exec.LookPath("postgres"); err == nil {
			if path, err = filepath.EvalSymlinks(path); err == nil {
				places = append(places, filepath.Dir(path))
			}
		}
	}
	var seen []string
	for _, place := range places {
		p := Programs{Dir: place}
		if !p.has("postgres") {
			continue
		}
		var err error
		if p.Version, err = versionOf(ctx, p.path("postgres")); err != nil {
			seen = append(seen, err.Error())
			continue
		}
		if head, _, _ := strings.Cut(p.Version, "."); head == strconv.Itoa(major) {
			return p, nil
		}
		seen = append(seen, fmt.Sprintf("%s has %s", place, p.Version))
	}
	also := ""
	if len(seen) > 0 {
		also = " (" + strings.Join(seen, "; ") + ")"
	}
	return Programs{}, fmt.Errorf("%w of version %d are not in %s%s: install the server, as by apt-get install postgresql-%d, or name its directory with --pg-bindir",
		ErrPrograms, major, strings.Join(places, ", "), also, major)
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) ([0-9]+(?:\.[0-9]+)?)`)

// versionOf asks a server program for its version. What is not released says "18devel" or "18beta1", and is 18.
func versionOf(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	found := versionLine.FindSubmatch(out)
	if err != nil || found == nil {
		return "", fmt.Errorf("%s --version says %.80q", program, out)
	}
	return string(found[1]), nil
}
