// Package core_test holds the rules that no single package under core can.
package core_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/pgseal/pgseal"

// source is one file under core/ that is no test.
type source struct {
	name string // with slashes, relative to core/
	ast  *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && e.Name() == "testdata" {
			return err
		}
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		all = append(all, source{filepath.ToSlash(name), f, fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d sources found under core/", len(all))
	}
	return all
}

// driver tells whether the file belongs to a driver or to the suite that knows
// the stores' back doors.
func (s source) driver() bool {
	below, ok := strings.CutPrefix(s.name, "bucket/")
	name, _, inFolder := strings.Cut(below, "/")
	return ok && inFolder && (strings.HasSuffix(name, "bucket") || name == "buckettest")
}

// isStandard tells whether an import path belongs to the standard library: it
// has no dot in its first part and Go itself has its sources.
func isStandard(p string) bool {
	if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
		return false
	}
	pkg, err := build.Default.Import(p, "", build.FindOnly)
	return err == nil && pkg.Goroot
}

func TestCoreNeedsTheStandardLibraryOnly(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.ast.Imports {
			p := strings.Trim(spec.Path.Value, `"`)
			cloudDriver := s.driver() && !strings.HasPrefix(s.name, "bucket/filebucket/") && !strings.HasPrefix(s.name, "bucket/membucket/") && !strings.HasPrefix(s.name, "bucket/buckettest/")
			inCore := strings.HasPrefix(p, module+"/core/")
			switch {
			case isStandard(p) || cloudDriver && !strings.HasPrefix(p, module):
			case cloudDriver && (p == module+"/core/bucket/silence" || p == module+"/core/bucket/body"): // which are for them
			case !inCore:
				t.Errorf("%s imports %s: core needs the standard library only, its drivers aside", s.fset.Position(spec.Pos()), p)
			case strings.HasPrefix(p, module+"/core/bucket/"):
				t.Errorf("%s imports %s: the rules know the bucket interface, never a driver", s.fset.Position(spec.Pos()), p)
			}
		}
	}
}

// Anything under core/ that could change or remove what is in a vault stands
// behind the Bucket interface, which has no delete and no copy.
func TestCoreNeitherDeletesNorCopiesInAStore(t *testing.T) {
	for _, s := range sources(t) {
		if s.driver() {
			continue
		}
		for call, method := range methodCalls(s) {
			for _, forbidden := range []string{"Delete", "Copy", "Remove", "Rewrite", "Compose"} {
				if strings.HasPrefix(method, forbidden) {
					t.Errorf("%s calls %s: core never does so in a store", s.fset.Position(call.Pos()), method)
				}
			}
		}
	}
}

// Put is the one write without a condition, so it is for what the finalizer
// keeps in staging alone: verdicts and the sweep's records. Each call says so by
// a key that layout makes for nothing else.
func TestOnlyVerdictsAndSweepRecordsArePut(t *testing.T) {
	keys := map[string]map[string]bool{
		"finalizer/verdict.go":     {"Verdict": true},
		"finalizer/sweeprecord.go": {"SweepRecord": true, "SweepNotes": true, "SweepCursor": true},
	}
	found := 0
	for _, s := range sources(t) {
		if s.driver() {
			continue
		}
		for call, method := range methodCalls(s) {
			if method != "Put" || len(call.Args) != 3 { // a pool has a Put, too
				continue
			}
			found++
			if key := fromLayout(call.Args[1]); !keys[s.name][key] {
				t.Errorf("%s calls Put with the key %q: only the files of core/finalizer that keep verdicts and sweep records may, with their own keys", s.fset.Position(call.Pos()), key)
			}
		}
	}
	if found != 4 {
		t.Errorf("%d calls of Put were found, and 4 are known", found)
	}
}

// fromLayout is the name of the function or constant of package layout that an
// expression is.
func fromLayout(e ast.Expr) string {
	if call, ok := e.(*ast.CallExpr); ok {
		e = call.Fun
	}
	if sel, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "layout" {
			return sel.Sel.Name
		}
	}
	return ""
}

// methodCalls yields the calls x.Method() where x is no imported package.
func methodCalls(s source) map[*ast.CallExpr]string {
	packages := map[string]bool{}
	for _, spec := range s.ast.Imports {
		name := path.Base(strings.Trim(spec.Path.Value, `"`))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		packages[name] = true
	}
	calls := map[*ast.CallExpr]string{}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); !ok || !packages[x.Name] {
				calls[call] = sel.Sel.Name
			}
		}
		return true
	})
	return calls
}
