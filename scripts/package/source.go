package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The package that Google's buildpack looks for is the one in the root of the source, which must itself import the
// framework, or another main program is generated; and with vendor/, funcframework must be vendored too (buildpacks of
// August 2026).
const (
	framework   = "github.com/GoogleCloudPlatform/functions-framework-go/"
	rootPackage = `// Package function is the root that Google's buildpack wants: it registers the function of package gcp.
package function

import (
	_ "` + framework + `funcframework"
	_ "` + framework + `functions"

	_ "%s/functions/gcp"
)
`
)

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath, Dir     string
	GoFiles, EmbedFiles []string
	Standard            bool
	Module              *struct {
		Path string
		Main bool
	}
}

// gcp packs the source of the Google Cloud function: the packages that it consists of, and all others under vendor/, so
// that it is built without a network. The version is written into it, as nobody passes flags to the buildpack's linker.
func gcp(root, version string) ([]file, error) {
	out, err := command(root, "go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,EmbedFiles,Standard,Module",
		"./functions/gcp", framework+"funcframework")
	if err != nil {
		return nil, err
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if !p.Standard {
			packages = append(packages, p)
		}
	}
	files, err := sources(packages, version)
	if err != nil {
		return nil, err
	}
	embedded := map[string]bool{}
	for _, p := range packages {
		for _, name := range p.EmbedFiles {
			embedded[path.Join("vendor", p.ImportPath, filepath.ToSlash(name))] = true
		}
	}
	modules, err := vendored(root, files, embedded)
	return append(files, modules...), err
}

// sources are the module's own files, and the generated one in the root.
func sources(packages []goPackage, version string) ([]file, error) {
	var files []file
	stamped := false
	for _, p := range packages {
		if !p.Module.Main {
			continue
		}
		if len(files) == 0 {
			files = append(files, file{name: "function.go", body: fmt.Appendf(nil, rootPackage, p.Module.Path)})
		}
		below := strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
		for _, name := range slices.Concat(p.GoFiles, p.EmbedFiles) {
			f, err := read(filepath.Join(p.Dir, name), path.Join(below, filepath.ToSlash(name)), false)
			if err != nil {
				return nil, err
			}
			if f.name == "core/version/version.go" {
				before := f.body
				f.body = bytes.Replace(before, []byte("\nvar stamped string\n"), fmt.Appendf(nil, "\nvar stamped = %q\n", version), 1)
				stamped = !bytes.Equal(before, f.body)
			}
			files = append(files, f)
		}
	}
	if !stamped {
		return nil, errors.New("core/version has no variable for the version any more")
	}
	return files, nil
}

// vendored gives go.mod, go.sum and what go mod vendor makes of them for a module of these files, without the modules
// that only the rest of pgseal needs, and without documentation. The versions are those of the root's go.mod.
func vendored(root string, files []file, embedded map[string]bool) ([]file, error) {
	dir, err := os.MkdirTemp("", "pgseal-package-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"go.mod", "go.sum"} {
		f, err := read(filepath.Join(root, name), name, false)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.body, 0o644)); err != nil {
			return nil, err
		}
	}
	if _, err := command(dir, "go", "mod", "vendor"); err != nil {
		return nil, err
	}
	if err := prune(dir); err != nil {
		return nil, err
	}
	var found []file
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if below = filepath.ToSlash(below); err != nil || !embedded[below] && !needed(below) {
			return err
		}
		f, err := read(name, below, false)
		found = append(found, f)
		return err
	})
	return found, err
}

// prune takes the modules without a package under vendor/ out of go.mod, go.sum and modules.txt, which must agree.
func prune(dir string) error {
	list := filepath.Join(dir, "vendor", "modules.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var kept strings.Builder
	used, edit := map[string]bool{}, []string{"go", "mod", "edit"}
	for _, section := range strings.Split("\n"+string(text), "\n# ")[1:] {
		lines := strings.Split(strings.TrimSuffix(section, "\n"), "\n") // module and version, ## marks, packages
		module, _, _ := strings.Cut(lines[0], " ")
		if strings.HasPrefix(lines[len(lines)-1], "##") || len(lines) == 1 {
			edit = append(edit, "-droprequire="+module)
			continue
		}
		used[module] = true
		kept.WriteString("# " + strings.Join(lines, "\n") + "\n")
	}
	if err := os.WriteFile(list, []byte(kept.String()), 0o644); err != nil {
		return err
	}
	if _, err := command(dir, edit...); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return err
	}
	var keptSums strings.Builder
	for line := range strings.Lines(string(sums)) {
		if module, _, _ := strings.Cut(line, " "); used[module] {
			keptSums.WriteString(line)
		}
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), []byte(keptSums.String()), 0o644)
}

// needed tells what a build without cgo reads, or a licence asks to keep, from what a module's authors have put beside
// it.
func needed(name string) bool {
	if name == "go.mod" || name == "go.sum" {
		return true
	}
	if !strings.HasPrefix(name, "vendor/") {
		return false // is packed already
	}
	base := path.Base(name)
	upper := strings.ToUpper(base)
	for _, keep := range []string{"LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "PATENTS", "AUTHORS"} {
		if strings.HasPrefix(upper, keep) {
			return true
		}
	}
	return base == "modules.txt" || slices.Contains([]string{".go", ".s", ".h"}, path.Ext(base))
}

// command runs a command of Go, for the platform that Google builds on, and gives what it prints.
func command(dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, problems.Bytes())
	}
	return out, nil
}
