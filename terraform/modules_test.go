// Package terraform_test holds every module and example below this directory to the same checks.
package terraform_test

import (
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

// TestModules: what is a directory with a versions.tf is a module or an example, and is checked.
func TestModules(t *testing.T) {
	for _, name := range tftest.All(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results := tftest.Check(t, name)
			if name == "aws" && results != nil {
				t.Run("rendered", func(t *testing.T) { checkRendered(t, results) })
			}
		})
	}
}
