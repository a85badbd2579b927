package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)`)

// licences is the text of all licences of what is linked into a program besides its own, Go's included: each asks to be
// passed on with it.
func licences(program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	args := []string{"list", "-m", "-json"}
	for _, d := range info.Deps {
		args = append(args, d.Path)
	}
	listed, err := goTool(args...)
	if err != nil {
		return nil, err
	}
	goroot, err := goTool("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("pgseal is linked with the following. Each is under the terms that stand below its name.\n")
	if err := licenceOf(&out, "The Go standard library, "+info.GoVersion, string(bytes.TrimSpace(goroot))); err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(listed)); d.More(); {
		var module struct{ Path, Version, Dir string }
		if err := d.Decode(&module); err != nil {
			return nil, err
		}
		if err := licenceOf(&out, module.Path+" "+module.Version, module.Dir); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func licenceOf(out *bytes.Buffer, name, dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, f := range files {
		if f.IsDir() || !licenceFile.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n==== %s: %s\n\n%s\n", name, f.Name(), bytes.TrimSpace(text))
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no licence in %s: look where its terms stand before it is released", name, dir)
	}
	return nil
}
