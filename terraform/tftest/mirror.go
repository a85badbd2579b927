package tftest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// standIns are mirrors that tests make themselves, by provider: each gives a directory in the layout of a filesystem
// mirror. They are asked when the machine has no real provider.
var standIns = map[string]func(testing.TB) string{
	"hashicorp/google":  standIn("google", "6.50.0"),
	"hashicorp/azurerm": standIn("azurerm", "5.2.0"),
}

// Mirror is a directory that holds the provider ("hashicorp/aws") in the layout of a filesystem mirror,
// HOST/NAMESPACE/TYPE/VERSION/PLATFORM, and whether it is the real provider. It is looked for, in this order, in
//
//  1. $PGSEAL_TF_MIRROR,
//  2. the directories that the CLI configuration ($TF_CLI_CONFIG_FILE, else ~/.terraformrc) names as path,
//  3. $PGSEAL_CACHE/terraform/mirror,
//  4. the places where Terraform looks by itself: ~/.terraform.d/plugins, ~/.local/share/terraform/plugins,
//     /usr/local/share/terraform/plugins, /usr/share/terraform/plugins,
//  5. every directory one or two levels below the root of the file system,
//
// and then among the stand-ins that tests build themselves (package schemaprovider).
func Mirror(t testing.TB, provider string) (dir string, genuine bool) {
	t.Helper()
	for _, dir := range mirrors() {
		if found, _ := filepath.Glob(filepath.Join(dir, registry, provider, "*", "*", "terraform-provider-*")); len(found) > 0 {
			return dir, true
		}
	}
	if standIn := standIns[provider]; standIn != nil {
		return standIn(t), false
	}
	Missing(t, "no filesystem mirror on this machine holds the provider %s: set PGSEAL_TF_MIRROR to one (see tftest.Mirror)", provider)
	return "", false
}

// registry is the host in the addresses of the providers that the modules use.
const registry = "registry.terraform.io"

// mirrors are the directories in which a provider may be, best first.
func mirrors() []string {
	home, _ := os.UserHomeDir() // without one, the paths below do not exist
	dirs := []string{os.Getenv("PGSEAL_TF_MIRROR")}
	config := os.Getenv("TF_CLI_CONFIG_FILE")
	if config == "" {
		config = filepath.Join(home, ".terraformrc")
	}
	if text, err := os.ReadFile(config); err == nil {
		for _, match := range configPath.FindAllSubmatch(text, -1) {
			dirs = append(dirs, string(match[1]))
		}
	}
	dirs = append(dirs, filepath.Join(cache(), "terraform", "mirror"),
		filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(home, ".local/share/terraform/plugins"),
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
	for _, pattern := range []string{"/*/" + registry, "/*/*/" + registry} {
		found, _ := filepath.Glob(pattern) // the pattern is well formed
		for _, dir := range found {
			dirs = append(dirs, filepath.Dir(dir))
		}
	}
	out := dirs[:0]
	for _, dir := range dirs {
		if filepath.IsAbs(dir) {
			out = append(out, dir)
		}
	}
	return out
}

// configPath finds the directories that a CLI configuration names.
var configPath = regexp.MustCompile(`(?m)^\s*path\s*=\s*"([^"]+)"`)

// forProgram is the provider's mirror as the program under test wants it, and the registry's host there: OpenTofu asks
// for the same providers at another registry, and follows a link to a plugin but to no directory above it.
func forProgram(t testing.TB, provider string) (dir, host string) {
	t.Helper()
	dir, _ = Mirror(t, provider)
	if !strings.HasPrefix(filepath.Base(Terraform(t)), "tofu") {
		return dir, registry
	}
	const opentofu = "registry.opentofu.org"
	found, _ := filepath.Glob(filepath.Join(dir, registry, provider, "*", "*", "terraform-provider-*"))
	to := t.TempDir()
	for _, plugin := range found {
		below, err := filepath.Rel(filepath.Join(dir, registry), plugin)
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, opentofu, filepath.Dir(below)), 0o755)
		}
		if err == nil {
			err = os.Symlink(plugin, filepath.Join(to, opentofu, below))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to, opentofu
}
