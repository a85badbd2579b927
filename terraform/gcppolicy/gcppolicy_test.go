package gcppolicy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/terraform/gcpiam"
	"github.com/pgseal/pgseal/terraform/tftest"
)

var update = flag.Bool("update", false, "write policies.json instead of comparing it")

// TestPoliciesAreTheModules holds policies.json against what the module renders.
func TestPoliciesAreTheModules(t *testing.T) {
	m := tftest.Open(t, "gcp")
	runs := map[string]Rules{}
	for _, r := range m.Test(t, "tests/policies.tftest.hcl") {
		if r.Run == Complete || r.Run == Retention || r.Run == Extending {
			runs[r.Run] = render(t, r)
		}
	}
	got := text(t, runs)
	path := filepath.Join(tftest.Root(), "gcppolicy", "policies.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, rendered) {
		t.Error("the module renders other policies than policies.json holds; look at the difference that this makes: go test ./terraform/gcppolicy -update; git diff")
	}
}

// render takes the rules out of a run's outputs.
func render(t *testing.T, r tftest.Result) Rules {
	t.Helper()
	out := Rules{Members: map[string]string{
		"expire": "serviceAccount:janitor@example-project.iam.gserviceaccount.com", "breakglass": "group:ciso@example.com",
	}, Buckets: map[string]gcpiam.Policy{}}
	var hosts map[string]string
	var finalizer string
	var restore, operator []string
	for name, into := range map[string]any{"roles": &out.Roles, "hosts": &hosts, "finalizer": &finalizer, "restore_members": &restore, "operator_members": &operator} {
		if err := json.Unmarshal(r.Outputs[name], into); err != nil {
			t.Fatalf("output %s: %v\n%v", name, err, r.Problems)
		}
	}
	out.Members["host"], out.Members["finalizer"] = hosts[Server], finalizer
	out.Members["restore"], out.Members["operator"] = restore[0], operator[0]
	for bucket, output := range map[string]string{Vault: "vault_policy", Staging: "staging_policy"} {
		var text string
		var p gcpiam.Policy
		if err := json.Unmarshal(r.Outputs[output], &text); err != nil {
			t.Fatalf("output %s: %v\n%v", output, err, r.Problems)
		}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		out.Buckets[bucket] = p
	}
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
	for _, place := range []struct{ vault, staging, prefix string }{{"example-vault", "example-staging", "pg"}, {"v", "s", "a/b"}, {"v2", "s2", ""}} {
		rules, err := For(Complete, place.vault, place.staging, place.prefix, "main")
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range broken(rules, place.vault, place.staging, place.prefix) {
			t.Errorf("prefix %q: %s", place.prefix, broken)
		}
	}
}

// broken are the promises that the rules break.
func broken(rules Rules, vault, staging, prefix string) (names []string) {
	for _, p := range Promises {
		if prefix == "" && (strings.Contains(p.Name, "prefix is") || strings.Contains(p.Name, "outside of the prefix")) {
			continue // the whole bucket is below it
		}
		bucket := map[string]string{"vault": vault, "staging": staging}[p.Bucket]
		object := p.Object
		if below, ok := strings.CutPrefix(object, "pg/"); ok {
			object = strings.TrimPrefix(prefix+"/"+below, "/")
		}
		if got := rules.Allows(p.Who, p.Permission, bucket, object); got != p.Allowed {
			names = append(names, fmt.Sprintf("%s: %s on %s %q is allowed: %v", p.Name, p.Permission, bucket, object, got))
		}
	}
	return names
}

// TestNamesAreReplacedEverywhere: For does what Terraform does with other values of the variables.
func TestNamesAreReplacedEverywhere(t *testing.T) {
	rules, err := For(Complete, "v", "s", "a", "m")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(rules.Buckets)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Vault, Staging, Prefix, Server} {
		if bytes.Contains(text, []byte(name)) {
			t.Errorf("%s is left in %s", name, text)
		}
	}
}

func TestEveryServer(t *testing.T) {
	rules, err := For(Complete, "v", "s", "pg", "")
	if err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]bool{
		"pg/main/base/20260101T000000/data.tar":        true,
		"pg/other/base/20260101T000000/data.tar":       true,
		"pg/other/base/20260101T000000/backup.info":    false,
		"pg/_pgseal/verdict/main/20260101T000000.json": false,
		"elsewhere/main/base/20260101T000000/data.tar": false,
	} {
		if got := rules.Allows("host", create, "v", object); got != want {
			t.Errorf("create %s in the vault: %v", object, got)
		}
	}
	for object, want := range map[string]bool{
		"pg/other/base/20260101T000000/backup.info":      true,
		"pg/_pgseal/complete/other/20260101T000000.json": true,
		"pg/_pgseal/verdict/other/20260101T000000.json":  false,
		"pg/_pgseal/sweep/other/20260101T000000.json":    false,
	} {
		if got := rules.Allows("host", create, "s", object); got != want {
			t.Errorf("create %s in staging: %v", object, got)
		}
	}
	if !rules.Allows("host", read, "s", "pg/_pgseal/verdict/other/20260101T000000.json") {
		t.Error("the host cannot read a verdict")
	}
}

func TestHostsThatChooseTheirLocks(t *testing.T) {
	rules, err := For(Retention, "v", "s", "pg", "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who, object string
		want        bool
	}{
		{"host", base + "data.tar", true}, {"host", base + "backup.info", false}, {"host", foreign + "data.tar", false},
		{"finalizer", base + "backup.info", true}, {"finalizer", base + "data.tar", false}, {"restore", base + "data.tar", false},
	} {
		if got := rules.Allows(c.who, retain, "v", c.object); got != c.want {
			t.Errorf("%s sets the retention of %s: %v", c.who, c.object, got)
		}
	}
	extending, err := For(Extending, "v", "s", "pg", "main")
	if err != nil {
		t.Fatal(err)
	}
	if !extending.Allows("finalizer", retain, "v", foreign+"data.tar") || extending.Allows("finalizer", lift, "v", foreign+"data.tar") {
		t.Error("the finalizer extends no locks, or lifts them")
	}
	for _, p := range Promises {
		bucket := map[string]string{"vault": "v", "staging": "s"}[p.Bucket]
		if got := rules.Allows(p.Who, p.Permission, bucket, p.Object); got != p.Allowed && p.Permission != retain {
			t.Errorf("%s: is allowed: %v", p.Name, got)
		}
	}
}
