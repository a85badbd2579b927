package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayDelete are the only files of the product that name the deleting side of a place: the interface and its makers, and the
// two commands that it is for. The finalizer, the functions and the uploader cannot delete, and do not link what can.
var mayDelete = []string{
	"core/bucket/azurebucket/remove.go", "core/bucket/filebucket/remove.go", "core/bucket/gcsbucket/remove.go",
	"core/bucket/membucket/remove.go", "core/bucket/s3bucket/remove.go", "core/bucket/buckettest/suite.go",
	"uploader/store/remove.go", "uploader/cli/backupdelete.go", "uploader/cli/backupkeep.go", "uploader/keep/keep.go", "uploader/prune/prune.go",
}

func TestNobodyElseComesToTheDeletingSide(t *testing.T) {
	var found []string
	err := filepath.WalkDir("../..", func(name string, e fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(filepath.ToSlash(name), "../../")
		switch {
		case err != nil:
			return err
		case e.IsDir() && (rel == "e2e" || strings.HasPrefix(e.Name(), ".") && rel != "../.." || e.Name() == "testdata"):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if ok && s.Sel.Name == "Remover" && !slices.Contains(found, rel) {
				if x, ok := s.X.(*ast.Ident); ok && (strings.HasSuffix(x.Name, "bucket") || x.Name == "store") {
					found = append(found, rel)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	want := slices.Sorted(slices.Values(mayDelete))
	if !slices.Equal(found, want) {
		t.Errorf("the deleting side is named in\n%q, and may be in\n%q", found, want)
	}
}
