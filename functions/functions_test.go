// Package functions_test holds the rule that no single function can.
package functions_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/pgseal/pgseal/"

// What is not linked cannot be reached, and does not make the start slower.
func TestEachFunctionLinksOneDriver(t *testing.T) {
	sdks := map[string][]string{
		"s3bucket":    {"github.com/aws/"},
		"gcsbucket":   {"cloud.google.com/go/storage", "google.golang.org/api"},
		"azurebucket": {"github.com/Azure/"},
		"filebucket":  nil,
	}
	for function, own := range map[string]string{"aws": "s3bucket", "gcp/server": "gcsbucket", "azure": "azurebucket", "webhook": "s3bucket", "wake": ""} {
		out, err := exec.Command("go", "list", "-deps", module+"functions/"+function).Output()
		if err != nil {
			t.Fatalf("%s: %v", function, err)
		}
		linked := strings.Fields(string(out))
		for driver, prefixes := range sdks {
			found := false
			for _, p := range linked {
				found = found || p == module+"core/bucket/"+driver
				for _, prefix := range prefixes {
					if strings.HasPrefix(p, prefix) && driver != own {
						t.Errorf("functions/%s links %s", function, p)
					}
				}
			}
			if found != (driver == own) {
				t.Errorf("functions/%s links %s: %t", function, driver, found)
			}
		}
	}
}
