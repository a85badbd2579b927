// Package tftest runs Terraform on copies of this repository's modules, offline: formatting, initialisation, validation,
// the modules' own tests and tflint, each as a subtest.
//
//	tftest.Check(t, tftest.Open(t, "aws", "examples/minimal"))
//
// Providers come from a filesystem mirror on the machine, or from a stand-in (package schemaprovider);
// the network is never tried. What is missing fails where CI is set (CI=true) and skips elsewhere.
package tftest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TFLint is the version of tflint that the modules are held against; scripts/install-deps builds it.
const TFLint = "0.64.0"

// Missing ends the test: in failure where CI is set, else with a skip that says what to install.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if ci, err := strconv.ParseBool(os.Getenv("CI")); err == nil && ci {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Terraform is the path of the program: $PGSEAL_TERRAFORM (terraform or tofu), else terraform on the PATH.
func Terraform(t testing.TB) string {
	t.Helper()
	name := os.Getenv("PGSEAL_TERRAFORM")
	if name == "" {
		name = "terraform"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "%v: install Terraform 1.9 or newer, or set PGSEAL_TERRAFORM", err)
	}
	return path
}

// Lint is the path of tflint: on the PATH, or as scripts/install-deps terraform builds it.
func Lint(t testing.TB) string {
	t.Helper()
	for _, name := range []string{filepath.Join(cache(), "tflint", TFLint, "tflint"), "tflint"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "tflint is neither in %s nor on the PATH: run scripts/install-deps terraform", cache())
	return ""
}

// cache is where scripts/install-deps puts what it builds.
func cache() string {
	if dir := os.Getenv("PGSEAL_CACHE"); dir != "" {
		return dir
	}
	return "/var/tmp/pgseal-cache"
}
