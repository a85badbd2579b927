package tftest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStandIn: what the stand-in for a provider finds, and that it plans nothing.
func TestStandIn(t *testing.T) {
	mirror := standIns["hashicorp/google"](t)
	const good = `name = "b"
  location = "EU"
  public_access_prevention = "enforced"`
	for name, c := range map[string]struct{ body, want string }{
		"a right one":         {good, ""},
		"an unknown argument": {good + "\n  colour = \"red\"", "Unsupported argument"},
		"a missing argument":  {`name = "b"`, `"location" is required`},
		"a wrong type":        {good + "\n  force_destroy = \"maybe\"", "a bool is required"},
		"two blocks for one":  {good + strings.Repeat("\n  versioning {\n    enabled = true\n  }", 2), "Too many versioning blocks"},
		"a wrong word":        {strings.Replace(good, "enforced", "forced", 1), "invalid public_access_prevention"},
		"a wrong number":      {good + "\n  retention_policy {\n    retention_period = 0\n  }", "invalid retention_policy.retention_period"},
		"a wrong word deeper": {good + "\n  lifecycle_rule {\n    action {\n      type = \"Burn\"\n    }\n    condition {\n      age = 1\n    }\n  }", "invalid lifecycle_rule.action.type"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Module{Name: name, Dir: t.TempDir(), config: filepath.Join(t.TempDir(), "terraformrc")}
			for path, text := range map[string]string{
				m.config: "disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = \"" + mirror + "\"\n  }\n}\n",
				filepath.Join(m.Dir, "main.tf"): "terraform {\n  required_providers {\n    google = {\n      source = \"" + registry + "/hashicorp/google\"\n    }\n  }\n}\n\n" +
					"resource \"google_storage_bucket\" \"b\" {\n  " + c.body + "\n}\n",
			} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m.Init(t)
			out, err := m.Try(t, "validate", "-no-color")
			if (err != nil) != (c.want != "") || !strings.Contains(out, c.want) {
				t.Errorf("%v, want %q\n%s", err, c.want, out)
			}
			if c.want == "" {
				if out, err := m.Try(t, "plan", "-no-color"); err == nil || !strings.Contains(out, "stand-in") {
					t.Errorf("it plans: %v\n%s", err, out)
				}
			}
		})
	}
}
