package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// entry is a file or a symbolic link of an archive or a package.
type entry struct {
	name    string // with slashes, without one in front
	body    []byte
	link    string // where a symbolic link leads
	program bool
}

// from reads files of the work tree, a directory with all that is below it, and puts them under another name.
func from(name, source string) ([]entry, error) {
	var found []entry
	err := filepath.WalkDir(source, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(file, ".go") {
			return err
		}
		below, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(file)
		found = append(found, entry{name: path.Join(name, filepath.ToSlash(below)), body: body})
		return err
	})
	return found, err
}

// gather reads several, as pairs of a name and a source.
func gather(pairs ...string) (found []entry, err error) {
	for i := 0; i < len(pairs); i += 2 {
		some, err := from(pairs[i], pairs[i+1])
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// tarballTree is the layout below /usr/local, where somebody unpacks it who has no packages.
func tarballTree(program, share string, licences []byte) ([]entry, error) {
	found, err := gather("bin/pgseal", program, "share", filepath.Join(share, "pgseal"),
		"LICENSE", "LICENSE", "README.md", "README.md", "CHANGELOG.md", "CHANGELOG.md", "docs", "docs",
		"packaging/systemd", "packaging/systemd", "packaging/prometheus", "packaging/prometheus")
	if err != nil {
		return nil, err
	}
	found[0].program = true
	return append(found, entry{name: "THIRD-PARTY-LICENSES", body: licences}), nil
}

const docs = "usr/share/doc/pgseal/"

// packageTree is what the package pgseal installs.
func packageTree(program, share string, licences []byte) ([]entry, error) {
	found, err := gather("usr/bin/pgseal", program, "usr/share", filepath.Join(share, "pgseal"),
		docs+"LICENSE", "LICENSE", docs+"README.md", "README.md", docs+"CHANGELOG.md", "CHANGELOG.md",
		docs+"examples/server.env", "packaging/systemd/server.env.example", docs+"examples/drill.env", "packaging/systemd/drill.env.example",
		docs+"examples", "packaging/prometheus")
	if err != nil {
		return nil, err
	}
	found[0].program = true
	units, err := from("usr/lib/systemd/system", "packaging/systemd")
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		if strings.HasSuffix(u.name, ".service") || strings.HasSuffix(u.name, ".timer") {
			found = append(found, u)
		}
	}
	copyright, err := os.ReadFile("packaging/copyright")
	if err != nil {
		return nil, err
	}
	found = append(found, entry{name: docs + "copyright", body: copyright}, entry{name: docs + "THIRD-PARTY-LICENSES", body: licences})
	return compressed(found)
}

// linksTree is what the package with barman's names installs.
func linksTree(share string) ([]entry, error) {
	found, err := from("usr/share", filepath.Join(share, "barman"))
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if page, ok := strings.CutSuffix(path.Base(f.name), ".1"); ok {
			found = append(found, entry{name: "usr/bin/" + page, link: "pgseal"})
		}
	}
	copyright, err := os.ReadFile("packaging/copyright")
	if err != nil {
		return nil, err
	}
	return compressed(append(found, entry{name: "usr/share/doc/pgseal-barman-cloud/copyright", body: copyright}))
}

// compressed has the manual's pages compressed, as both kinds of packages want them.
func compressed(tree []entry) ([]entry, error) {
	for i, f := range tree {
		if !strings.HasPrefix(f.name, "usr/share/man/") {
			continue
		}
		body, err := zipped(f.body)
		if err != nil {
			return nil, err
		}
		tree[i].name, tree[i].body = f.name+".gz", body
	}
	return tree, nil
}

func zipped(body []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression) // with no name and no time in its header
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// goTool runs the go command in the root of the module and gives what it prints.
func goTool(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), "go", args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s%s", strings.Join(args, " "), err, errs.Bytes(), out)
	}
	return out, nil
}
