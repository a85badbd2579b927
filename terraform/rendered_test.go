package terraform_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing it")

// checkRendered holds awspolicy/policies.json, from which the policy table and the end-to-end tests take their rules,
// against the policies that the plans of aws/tests/policies.tftest.hcl have just rendered.
func checkRendered(t *testing.T, results []tftest.Result) {
	path := filepath.Join(tftest.Root(), "awspolicy", "policies.json")
	got := render(t, results)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the module renders other policies than awspolicy/policies.json holds; look at the difference that this makes: go test ./terraform -run TestModules/aws -update; git diff")
	}
}

// render is the policies of every run as one document, indented so that a change can be read.
func render(t testing.TB, results []tftest.Result) []byte {
	t.Helper()
	runs := map[string]map[string]json.RawMessage{}
	for _, r := range results {
		if r.File != "tests/policies.tftest.hcl" || r.Run == "" {
			continue
		}
		var documents map[string]string
		if err := json.Unmarshal(r.Outputs["policies"], &documents); err != nil {
			t.Fatalf("%s: the output policies: %v\n%v", r.Name(), err, r.Problems)
		}
		runs[r.Run] = map[string]json.RawMessage{}
		for name, document := range documents {
			runs[r.Run][name] = json.RawMessage(document)
		}
	}
	if len(runs) == 0 {
		t.Fatal("no policies were rendered")
	}
	out, err := json.MarshalIndent(runs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}
