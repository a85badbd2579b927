package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
)

// component is an element of a CycloneDX bill of materials (1.5), as much of it as a Go program knows about itself.
type component struct {
	Ref     string `json:"bom-ref"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// bill writes name.cdx.json: the modules that are linked into a program, from the list that Go puts into it. There is no
// serial number and no time in it, as both would make it another file each time.
func (r *release) bill(program, name string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	self := module("application", info.Main.Path, r.version)
	self.Hashes = []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(body))}}
	parts := []component{module("library", "std", info.GoVersion[len("go"):])}
	for _, d := range info.Deps {
		parts = append(parts, linked(d))
	}
	on := dependency{Ref: self.Ref}
	for _, p := range parts {
		on.On = append(on.On, p.Ref)
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata": map[string]any{"component": self}, "components": parts, "dependencies": []dependency{on},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".cdx.json"), append(text, '\n'), 0o644)
}

// linked is a module as it was linked: what it is replaced by, if it is.
func linked(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	return module("library", m.Path, m.Version)
}

func module(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + url.PathEscape(version)
	return component{Ref: purl, Type: kind, Name: path, Version: version, PURL: purl}
}
