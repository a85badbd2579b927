package tftest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Module is one module or example in a copy of its cloud's tree, with a CLI configuration of its own.
type Module struct {
	Name   string // "aws/examples/minimal"
	Dir    string // the copy
	Source string // the original, never written to
	config string // the CLI configuration
	init   sync.Once
}

// Root is the repository's terraform directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// All are the modules and examples below the repository's terraform directory, as "aws", "aws/examples/minimal": every
// directory with a versions.tf.
func All(t testing.TB) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(Root(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".terraform") {
			return filepath.SkipDir
		}
		if d.Name() == "versions.tf" && !strings.Contains(path, "/testdata/") {
			name, err := filepath.Rel(Root(), filepath.Dir(path))
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Open copies the whole tree of the module's cloud ("aws" of "aws/examples/minimal"), so that relative sources still
// lead somewhere, without what Terraform leaves behind, into a directory that ends with the test.
func Open(t testing.TB, name string) *Module {
	t.Helper()
	cloud, _, _ := strings.Cut(name, "/")
	tree := t.TempDir()
	Copy(t, filepath.Join(Root(), cloud), filepath.Join(tree, cloud))
	return At(t, name, tree)
}

// At is the module in a tree that is already a copy, for tests that change it first.
func At(t testing.TB, name, tree string) *Module {
	t.Helper()
	m := &Module{Name: name, Dir: filepath.Join(tree, filepath.FromSlash(name)), Source: filepath.Join(Root(), filepath.FromSlash(name))}
	m.config = filepath.Join(t.TempDir(), "terraformrc")
	config := "disable_checkpoint = true\nprovider_installation {\n"
	for _, provider := range m.Providers(t) {
		mirror, host := forProgram(t, provider)
		config += fmt.Sprintf("  filesystem_mirror {\n    path    = %q\n    include = [\"%s/%s\"]\n  }\n", mirror, host, provider)
	}
	if err := os.WriteFile(m.config, []byte(config+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// sourceOf finds the providers that a module requires.
var sourceOf = regexp.MustCompile(`(?m)^\s*source\s*=\s*"(hashicorp/[a-z0-9-]+)"`)

// Providers are the providers that the module's versions.tf requires.
func (m *Module) Providers(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.Dir, "versions.tf"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, match := range sourceOf.FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(out, match[1]) {
			out = append(out, match[1])
		}
	}
	return out
}

// Command prepares Terraform in the module's directory.
func (m *Module) Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Terraform(t), args...)
	cmd.Dir = m.Dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TF_") || strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "GOOGLE_") || strings.HasPrefix(v, "ARM_")
	})
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+m.config, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	return cmd
}

// Run runs Terraform and returns its standard output; any other exit code than 0 fails the test.
func (m *Module) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := m.Try(t, args...)
	if err != nil {
		t.Fatalf("terraform %s in %s: %v\n%s", strings.Join(args, " "), m.Name, err, out)
	}
	return out
}

// Try runs Terraform and returns its output and how it ended.
func (m *Module) Try(t testing.TB, args ...string) (string, error) {
	t.Helper()
	out, err := m.Command(t, args...).CombinedOutput()
	return string(out), err
}

// Init initialises the module, once.
func (m *Module) Init(t testing.TB) {
	t.Helper()
	m.init.Do(func() { m.Run(t, "init", "-backend=false", "-no-color") })
}

// Copy copies a tree without Terraform's working directories, lock files and states.
func Copy(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		switch {
		case strings.HasPrefix(d.Name(), ".terraform"):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case strings.Contains(d.Name(), ".tfstate"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
