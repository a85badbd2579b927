package tftest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Check holds a module or an example to everything that every one of them must pass, each step a subtest, and returns
// what became of the runs of its own tests.
func Check(t *testing.T, name string) (results []Result) {
	m := Open(t, name)
	t.Run("fmt", func(t *testing.T) {
		m.Run(t, "fmt", "-check", "-diff", "-recursive", "-no-color")
	})
	t.Run("files", m.checkFiles)
	t.Run("lint", m.checkLint)
	if !t.Run("init", func(t *testing.T) { m.Init(t) }) {
		return nil
	}
	t.Run("validate", func(t *testing.T) { m.Run(t, "validate", "-no-color") })
	if found, _ := filepath.Glob(filepath.Join(m.Dir, "tests", "*.tftest.hcl")); len(found) > 0 {
		t.Run("test", func(t *testing.T) {
			results = m.Test(t)
			for _, r := range results {
				t.Run(r.Name(), func(t *testing.T) {
					if r.Status != "pass" {
						t.Errorf("%s\n%s", r.Status, strings.Join(r.Problems, "\n"))
					}
				})
			}
		})
	}
	return results
}

// checkFiles: a reusable module has no lock file, which would bind its users, and a README.
func (m *Module) checkFiles(t *testing.T) {
	if _, err := os.Stat(filepath.Join(m.Source, ".terraform.lock.hcl")); err == nil {
		t.Error(".terraform.lock.hcl does not belong into a reusable module")
	}
	if _, err := os.Stat(filepath.Join(m.Source, "README.md")); err != nil {
		t.Error(err)
	}
}

// lintConfig switches everything on that tflint brings with it.
const lintConfig = `plugin "terraform" {
  enabled = true
  preset  = "all"
}
`

// checkLint runs tflint with the ruleset terraform. Other rulesets cannot be had offline.
func (m *Module) checkLint(t *testing.T) {
	config := filepath.Join(t.TempDir(), "tflint.hcl")
	if err := os.WriteFile(config, []byte(lintConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), Lint(t), "--config", config, "--no-color", "--format", "compact", "--call-module-type", "none")
	cmd.Dir = m.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
