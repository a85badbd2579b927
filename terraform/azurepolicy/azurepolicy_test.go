package azurepolicy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/terraform/azureiam"
	"github.com/pgseal/pgseal/terraform/tftest"
)

var update = flag.Bool("update", false, "write assignments.json instead of comparing it")

// TestAssignmentsAreTheModules holds assignments.json against what the module renders.
func TestAssignmentsAreTheModules(t *testing.T) {
	m := tftest.Open(t, "azure")
	runs := map[string]Rules{}
	for _, r := range m.Test(t, "tests/access.tftest.hcl") {
		if r.Run == Complete || r.Run == Tags {
			runs[r.Run] = render(t, r)
		}
	}
	got := text(t, runs)
	path := filepath.Join(tftest.Root(), "azurepolicy", "assignments.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, rendered) {
		t.Error("the module renders other assignments than assignments.json holds; look at the difference that this makes: go test ./terraform/azurepolicy -update; git diff")
	}
}

// render takes the assignments out of a run's outputs, by the first word of their names.
func render(t *testing.T, r tftest.Result) Rules {
	t.Helper()
	var out Rules
	for name, into := range map[string]*map[string]azureiam.Assignment{"vault_assignments": &out.Vault, "staging_assignments": &out.Staging} {
		var all map[string]azureiam.Assignment
		if err := json.Unmarshal(r.Outputs[name], &all); err != nil || len(all) == 0 {
			t.Fatalf("output %s: %v\n%v", name, err, r.Problems)
		}
		*into = map[string]azureiam.Assignment{}
		for who, a := range all {
			first, _, _ := strings.Cut(who, " ")
			if _, twice := (*into)[first]; twice {
				t.Fatalf("%s has two assignments for %s", name, first)
			}
			(*into)[first] = a
		}
	}
	// A role of Azure's own, in which the module changes nothing: Storage Blob Data Owner.
	out.Vault["breakglass"] = azureiam.Assignment{DataActions: []string{blobs + "/*"}}
	return out
}

func text(t *testing.T, runs map[string]Rules) []byte {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(runs); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestPromises(t *testing.T) {
	if len(Promises) < 40 {
		t.Errorf("%d promises are not all", len(Promises))
	}
	for _, prefix := range []string{"pg", "a/b", ""} {
		rules, err := For(Complete, prefix, "main")
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range broken(rules, prefix) {
			t.Errorf("prefix %q: %s", prefix, broken)
		}
	}
}

// broken are the promises that the rules break.
func broken(rules Rules, prefix string) (names []string) {
	moved := func(path string) string {
		if below, ok := strings.CutPrefix(path, "pg/"); ok {
			return strings.TrimPrefix(prefix+"/"+below, "/")
		}
		return path
	}
	for _, p := range Promises {
		if prefix == "" && (strings.Contains(p.Name, "of the prefix") || p.Request.Prefix == "pg/") {
			continue // the whole container is below it
		}
		r := p.Request
		r.Path, r.Prefix = moved(r.Path), moved(r.Prefix)
		if got := rules.Allows(p.Who, p.Container, r); got != p.Allowed {
			names = append(names, fmt.Sprintf("%s: %+v is allowed: %v", p.Name, r, got))
		}
	}
	return names
}

func TestNamesAreReplacedEverywhere(t *testing.T) {
	rules, err := For(Complete, "a", "m")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Prefix + "/", Server} {
		if bytes.Contains(text, []byte(name)) {
			t.Errorf("%s is left in %s", name, text)
		}
	}
}

func TestEveryServer(t *testing.T) {
	rules, err := For(Complete, "pg", "")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		base + "data.tar": true, foreign + "data.tar": true, foreign + "backup.info": false, verdict: false, "elsewhere/main/data.tar": false,
	} {
		if got := rules.Vault["host"].Allows(write(path)); got != want {
			t.Errorf("write %s in the vault: %v", path, got)
		}
	}
	for path, want := range map[string]bool{foreign + "backup.info": true, marker: true, verdict: false} {
		if got := rules.Staging["host"].Allows(write(path)); got != want {
			t.Errorf("write %s in staging: %v", path, got)
		}
	}
	if !rules.Vault["host"].Allows(list("pg/other/base/")) || !rules.Staging["host"].Allows(read(verdict)) {
		t.Error("the host cannot list or read")
	}
}

func TestHostsThatTag(t *testing.T) {
	rules, err := For(Tags, "pg", "main")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{base + "data.tar": true, base + "backup.info": false, foreign + "data.tar": false} {
		if got := rules.Allows("host", "vault", other("tags/write", path)); got != want {
			t.Errorf("the host tags %s: %v", path, got)
		}
	}
	if rules.Allows("finalizer", "vault", other("tags/write", base+"backup.info")) {
		t.Error("the finalizer tags")
	}
}
