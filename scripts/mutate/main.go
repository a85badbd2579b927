// Mutate takes the safeguards of pgseal away, one at a time, and shows that a named test turns red without each.
//
//	go run ./scripts/mutate            all
//	go run ./scripts/mutate extra      those whose name has this in it
//
// Nothing in the tree is changed: the compiler is given another text for one file (go build -overlay). A mutation that
// does not compile, or whose place is not found any more, is a failure of its own and no proof. The exit code is 0 if
// every test turned red.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mutation takes one safeguard away.
type mutation struct {
	name     string // what is lost
	file     string // from the root of the module
	old, new string // old stands there exactly once
	pkg      string // where the test is, from the root
	test     string // its name, as go test -run reads it
}

func main() {
	only := strings.Join(os.Args[1:], " ")
	ran, green := 0, 0
	for _, m := range slices.Concat(sealing, restoring, drilling, serving) {
		if !strings.Contains(m.name, only) {
			continue
		}
		ran++
		if err := m.prove(); err != nil {
			green++
			fmt.Fprintf(os.Stdout, "FAIL  %s: %v\n", m.name, err)
			continue
		}
		fmt.Fprintf(os.Stdout, "red   %s: %s %s\n", m.name, m.pkg, m.test)
	}
	fmt.Fprintf(os.Stdout, "%d safeguards taken away, %d of them turned their test red\n", ran, ran-green)
	if green > 0 || ran == 0 {
		os.Exit(1)
	}
}

// prove runs the test with the safeguard, without it, and is nil if only the second turned red.
func (m mutation) prove() error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return fmt.Errorf("its place stands %d times in %s: bring the table up to date", n, m.file)
	}
	full, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	mutant, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {full: mutant}})
	if err != nil {
		return err
	}
	err = errors.Join(os.WriteFile(mutant, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600), os.WriteFile(overlay, list, 0o600))
	if err != nil {
		return err
	}
	if out, err := test("-run", "^$", "-overlay", overlay, "./"+m.pkg); err != nil {
		return fmt.Errorf("it does not compile: %s", last(out))
	}
	out, err := test("-run", m.test, "-overlay", overlay, "./"+m.pkg)
	if err == nil {
		return fmt.Errorf("%s %s stays green", m.pkg, m.test)
	}
	if !strings.Contains(out, "--- FAIL: ") {
		return fmt.Errorf("%s %s fails without a test that turned red: %s", m.pkg, m.test, last(out))
	}
	if out, err := test("-run", m.test, "./"+m.pkg); err != nil || strings.Contains(out, "no tests to run") {
		return fmt.Errorf("%s %s is red, or not there, with the safeguard in place: %s", m.pkg, m.test, last(out))
	}
	return nil
}

func test(args ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), "go", append([]string{"test", "-vet=off"}, args...)...).CombinedOutput()
	return string(out), err
}

// last is the end of what a command said.
func last(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}
