package systemd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/option"
)

// units copies the units into a directory, with a program that is there in pgseal's place, and returns them.
func units(t *testing.T, suffix string) []string {
	t.Helper()
	names, err := filepath.Glob("*" + suffix)
	if err != nil || len(names) < 2 {
		t.Fatalf("%q %v", names, err)
	}
	dir := t.TempDir()
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		names[i] = filepath.Join(dir, name)
		if err := os.WriteFile(names[i], []byte(strings.ReplaceAll(string(text), "/usr/bin/pgseal", "/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func analyze(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("systemd-analyze", append(args[:len(args):len(args)], "--man=no")...)
	if args[0] == "security" {
		cmd.Args = cmd.Args[:len(cmd.Args)-1]
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: scripts/install-deps test", err)
	}
	if err != nil || args[0] == "verify" && len(out) > 0 {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
}

func TestSystemdUnderstandsTheUnits(t *testing.T) {
	services, timers := units(t, ".service"), units(t, ".timer")
	for _, u := range services {
		analyze(t, "verify", u)
		analyze(t, "security", "--offline=true", "--threshold=35", "--no-pager", u) // of 100; without any protection it is 96
	}
	for _, u := range timers {
		// A timer needs its service beside it.
		service := strings.TrimSuffix(filepath.Base(u), ".timer") + ".service"
		for _, s := range services {
			if filepath.Base(s) == service {
				if err := os.Link(s, filepath.Join(filepath.Dir(u), service)); err != nil {
					t.Fatal(err)
				}
			}
		}
		analyze(t, "verify", u)
	}
}

// TestTheUnitsCallPgsealAsItIs expands a command as systemd does with the examples' settings.
func TestTheUnitsCallPgsealAsItIs(t *testing.T) {
	examples, err := filepath.Glob("*.env.example")
	if err != nil || len(examples) != 2 {
		t.Fatalf("%q %v", examples, err)
	}
	settings := map[string]string{}
	for _, example := range examples {
		text, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
				settings[name] = value
			}
		}
	}
	services, err := filepath.Glob("*.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range services {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, line, ok := strings.Cut(string(text), "\nExecStart=")
		line, _, _ = strings.Cut(line, "\n")
		if !ok {
			t.Fatalf("%s starts nothing", name)
		}
		line = os.Expand(strings.ReplaceAll(line, "%i", "main"), func(v string) string { return settings[v] })
		command, _, args, err := option.Find(strings.Fields(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, err := command.Parse(args, func(v string) (string, bool) { s, ok := settings[v]; return s, ok })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v.Arg("URL") != "s3://example-vault/barman" || v.Arg("SERVER") != "main" || v.String("staging-url") == "" {
			t.Errorf("%s: %s", name, line)
		}
	}
}
