package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/terraform/tftest"
)

// deploying are the beginnings of the plan that stands for `terraform apply` where there is no account to apply it to: who the
// provider would ask for is given.
var deploying = map[string]string{
	"aws": `
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}
override_data {
  target = module.pgseal.data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}
`,
	"gcp":   `mock_provider "google" {}`,
	"azure": `mock_provider "azurerm" {}`,
}

// clone is a copy of the repository, for all pages together.
var clone = sync.OnceValues(func() (string, error) {
	root, err := build.Root()
	if err != nil {
		return "", err
	}
	dir, err := pgtest.BinaryDir()
	if err != nil {
		return "", err
	}
	for _, below := range []string{"codec", "core", "functions", "scripts", "terraform", "uploader", "Makefile", "go.mod", "go.sum"} {
		if out, err := exec.CommandContext(context.Background(), "cp", "-r", filepath.Join(root, below), dir).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
	}
	return dir, nil
})

// once is make, which has nothing to do for the second page that says so.
const once = "#!/bin/bash\nexec 9> .made.lock\nflock 9\n[ -e .made ] || { /usr/bin/make \"$@\" 9>&- && touch .made; }\n"

// operator is the shell of whoever sets things up, in a copy of the repository in which Terraform plans what it would apply,
// and the plan's outputs have to be the lines that the page gives for the host.
func operator(t *testing.T, where, archiveCommand, backup string) *session {
	t.Helper()
	clone, err := clone()
	if err != nil {
		t.Fatal(err)
	}
	module := where + "/examples/minimal"
	m := tftest.At(t, module, filepath.Join(clone, "terraform"))

	name := "backup"
	if where == "aws" {
		name = "backup_command"
	}
	plan := deploying[where]
	for output, line := range map[string]string{"archive_command": archiveCommand, name: backup} {
		plan += fmt.Sprintf("\nrun %q {\n  command = plan\n  assert {\n    condition     = output.%[1]s == %[2]q\n    error_message = output.%[1]s\n  }\n}\n", output, line)
	}
	tests := filepath.Join(m.Dir, "tests")
	if err := os.MkdirAll(tests, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tests, "page.tftest.hcl"), []byte(plan), 0o600); err != nil {
		t.Fatal(err)
	}
	real := m.Command(t)
	path := "PATH=" + bin(t, t.TempDir(), map[string]string{"make": once, "terraform": "#!/bin/bash\n" +
		"case $1 in apply) shift; set -- test -no-color -filter=tests/page.tftest.hcl \"$@\";; esac\nexec " + quoted(real.Path) + " \"$@\"\n"}) + ":" + os.Getenv("PATH")
	return &session{dir: clone, state: filepath.Join(t.TempDir(), "state"), command: func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Env = append(m.Command(t).Env, path, "VERSION=v0.0.0-docs")
		return cmd
	}}
}

// line is the line of a page's blocks that begins so.
func line(t *testing.T, page, beginning string) string {
	t.Helper()
	for _, b := range blocks(t, page) {
		for l := range strings.Lines(b.text) {
			if strings.HasPrefix(l, beginning) {
				return strings.TrimSuffix(l, "\n")
			}
		}
	}
	t.Fatalf("%s has no line %q", page, beginning)
	return ""
}
