package cli

import (
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
)

func TestDoctorThatCannotLook(t *testing.T) {
	s := newShelf(t)
	staging := []string{"--staging-url", s.staging.URL()}
	for _, args := range [][]string{
		{"doctor", s.vault.URL(), "main"},
		append([]string{"doctor", s.vault.URL(), "../x"}, staging...),
		append([]string{"doctor", "x://y", "main"}, staging...),
		{"doctor", "--staging-url", "x://y", s.vault.URL(), "main"},
		append([]string{"doctor", "--window", "a while", s.vault.URL(), "main"}, staging...),
	} {
		if code, stdout, stderr := s.run(args...); code != 3 || stdout != "" || !strings.HasPrefix(stderr, "ERROR: ") {
			t.Errorf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
	if _, err := s.staging.Stat(t.Context(), layout.Doctor("main"), ""); err == nil {
		t.Error("it wrote something")
	}
}

func TestDoctorOfADirectoryWithoutABackup(t *testing.T) {
	s := newShelf(t)
	code, stdout, stderr := s.run("doctor", "-h", "/nonexistent", "--staging-url", s.staging.URL(), s.vault.URL(), "main")
	if code != 2 || stderr != "" || !strings.Contains(stdout, "\nseal-age            CRITICAL  no backup of this server is sealed\n") ||
		!strings.Contains(stdout, "\npostgres            CRITICAL") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
}
