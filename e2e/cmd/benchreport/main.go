// Command benchreport makes the page of performance and its charts from what the benchmarks have measured.
//
//	benchreport RESULTS DOCS
//
// RESULTS is the directory that PGSEAL_BENCH_RESULTS named; DOCS gets performance.md and performance/*.svg. What the page
// says above its first table is kept: it is written by hand.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgseal/pgseal/e2e/bench/figures"
)

// measured begins what is written by this program.
const measured = "<!-- make bench writes what follows -->\n"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: benchreport RESULTS DOCS")
		os.Exit(2)
	}
	if err := report(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "benchreport:", err)
		os.Exit(1)
	}
}

func report(results, docs string) error {
	tables, err := figures.Read(results)
	if err != nil {
		return err
	}
	machine, err := figures.Machine()
	if err != nil {
		return err
	}
	page := filepath.Join(docs, "performance.md")
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	head, _, found := strings.Cut(string(old), measured)
	if !found {
		return fmt.Errorf("%s has no line %q", page, strings.TrimSpace(measured))
	}
	charts := filepath.Join(docs, "performance")
	if err := os.RemoveAll(charts); err != nil { // those of tables that are no more
		return err
	}
	if err := os.MkdirAll(charts, 0o755); err != nil {
		return err
	}
	parts := []string{head + measured, "Measured on " + machine + ". The store ran on the same machine.\n"}
	for _, t := range tables {
		if err := os.WriteFile(filepath.Join(charts, t.Name()+".svg"), []byte(t.SVG()), 0o644); err != nil {
			return err
		}
		parts = append(parts, t.Markdown("performance"))
	}
	return os.WriteFile(page, []byte(strings.Join(parts, "\n")), 0o644)
}
