package tftest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Mutation is one mistake in a module, and the run of the module's tests that has to notice.
type Mutation struct {
	Name     string
	File     string // below the module
	Old, New string // Old stands there once
	Test     string // file and run: "wiring the_function"
}

// Mutate makes each mistake in a copy of the module and runs the test that has to notice it, all in one go. The results are in
// the order of the mutations. Each run is a file of its own, so that none is skipped for another's sake.
func Mutate(t *testing.T, cloud string, mutations []Mutation) []Result {
	t.Helper()
	tree := t.TempDir()
	root := filepath.Join(tree, cloud)
	source := filepath.Join(Root(), cloud)
	write(t, filepath.Join(root, "versions.tf"), read(t, filepath.Join(source, "versions.tf")))
	for i, m := range mutations {
		copied := filepath.Join(root, fmt.Sprintf("m%02d", i))
		Copy(t, source, copied)
		for _, below := range []string{"examples", "tests"} {
			if err := os.RemoveAll(filepath.Join(copied, below)); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(copied, filepath.FromSlash(m.File))
		text := read(t, path)
		if n := strings.Count(text, m.Old); n != 1 {
			t.Fatalf("%s: what is to be changed stands %d times in %s: %s", m.Name, n, m.File, m.Old)
		}
		write(t, path, strings.Replace(text, m.Old, m.New, 1))
		file, run, _ := strings.Cut(m.Test, " ")
		write(t, filepath.Join(root, "tests", fmt.Sprintf("m%02d.tftest.hcl", i)), onlyRun(t, read(t, filepath.Join(source, "tests", file+".tftest.hcl")), run, i))
	}
	byFile := map[string]Result{}
	for _, r := range At(t, cloud, tree).Test(t) {
		if found, ok := byFile[r.File]; ok { // problems of the file itself
			r.Problems = append(found.Problems, r.Problems...)
		}
		byFile[r.File] = r
	}
	results := make([]Result, len(mutations))
	for i, m := range mutations {
		r, ok := byFile[fmt.Sprintf("tests/m%02d.tftest.hcl", i)]
		if !ok || r.Status == "skip" {
			t.Errorf("%s: it was not run: %+v", m.Name, r)
		}
		results[i] = r
	}
	return results
}

// onlyRun is a test file with one of its runs, on the mutated copy.
func onlyRun(t *testing.T, file, run string, i int) string {
	t.Helper()
	head, _, _ := strings.Cut(file, "\nrun \"")
	_, block, ok := strings.Cut(file, "\nrun \""+run+"\" {\n")
	body, _, ended := strings.Cut(block, "\n}\n")
	if !ok || !ended {
		t.Fatalf("no run %q", run)
	}
	if strings.Contains(body, "source = \"./") {
		body = strings.Replace(body, "source = \"./", fmt.Sprintf("source = \"./m%02d/", i), 1)
	} else {
		body = fmt.Sprintf("  module {\n    source = \"./m%02d\"\n  }\n\n", i) + body
	}
	return head + "\nrun \"" + run + "\" {\n" + body + "\n}\n"
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
